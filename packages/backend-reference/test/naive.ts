/**
 * The op set once more, as slowly and literally as the spec's formulas read: every number a BigInt, every operand walked
 * index by index. Shares nothing with the packages but their types. For tests on small programs only.
 */
import type { Op, Operand, Param, Program, View } from '@ivit/program';

const M = 2n ** 31n - 1n;

interface Tensor {
  readonly shape: readonly number[];
  readonly unsigned?: boolean;
  readonly data: readonly bigint[];
}

const LIMITS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  i8: [-128n, 127n],
  i16: [-32768n, 32767n],
  i32: [-(2n ** 31n), M],
};

const min = (a: bigint, b: bigint): bigint => [a, b][Number(b < a)] as bigint;
const max = (a: bigint, b: bigint): bigint => [a, b][Number(b > a)] as bigint;
const floorDiv = (a: bigint, b: bigint): bigint => {
  const q = a / b;
  return q * b !== a && a < 0n !== b < 0n ? q - 1n : q;
};
/** Nearest, ties to even, of a / b with b > 0. */
const rne = (a: bigint, b: bigint): bigint => {
  const q = floorDiv(a, b);
  const twice = 2n * (a - q * b);
  return twice > b || (twice === b && q % 2n !== 0n) ? q + 1n : q;
};
const clamp = (y: bigint, to: string): bigint => {
  const [lo, hi] = LIMITS[to] as readonly [bigint, bigint];
  return min(max(y, lo), hi);
};
const bitLength = (n: bigint): bigint => BigInt(n === 0n ? 0 : n.toString(2).length);
const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function unravel(index: number, shape: readonly number[]): number[] {
  const out: number[] = [];
  let rest = index;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    out.unshift(rest % (shape[axis] as number));
    rest = Math.floor(rest / (shape[axis] as number));
  }
  return out;
}

function ravel(index: readonly number[], shape: readonly number[]): number {
  return index.reduce((sum, i, axis) => sum * (shape[axis] as number) + i, 0);
}

function see(tensor: Tensor, view: View | undefined): Tensor {
  if (view === undefined) return tensor;
  const data = Array.from({ length: count(view.shape) }, (_, i) => {
    const at = unravel(i, view.shape).reduce((sum, n, axis) => sum + n * (view.strides[axis] as number), view.offset);
    return tensor.data[at] as bigint;
  });
  return { shape: view.shape, data };
}

const M16 = [...Array(16).fill(0n), ...Array.from({ length: 16 }, (_, i) => rne(2n ** 19n, BigInt(16 + i)))];

/** rne(2^15·2^(g/2^F)) without floats: the integer nearest to the 2^F-th root of 2^(15·2^F + g). */
function pow2Entry(g: number, F: number): bigint {
  const power = 2n ** BigInt(F);
  const target = 2n ** (15n * power + BigInt(g)) * 2n ** power; // compare (2y)^(2^F) with 2^(2^F)·2^(15·2^F+g)
  // The smallest y with (2y+1)^(2^F) >= target, by bisection.
  let lo = 2n ** 15n;
  let hi = 2n ** 16n;
  while (lo < hi) {
    const y = (lo + hi) >> 1n;
    if ((2n * y + 1n) ** power < target) lo = y + 1n;
    else hi = y;
  }
  return lo;
}
const pow2Tables = new Map<number, bigint[]>();
function pow2Table(F: number): bigint[] {
  let table = pow2Tables.get(F);
  if (table === undefined) {
    table = Array.from({ length: 2 ** F }, (_, g) => pow2Entry(g, F));
    pow2Tables.set(F, table);
  }
  return table;
}

function sexp(x: bigint, x0: bigint, n: bigint): bigint {
  const t = max(x + (x >> 1n) - (x >> 4n), n * x0);
  const q = floorDiv(t, x0);
  const r = t - x0 * q;
  return q < n ? (r - 2n * x0) * 2n ** (n - q - 1n) : -x0;
}

function rowsOf(x: Tensor): bigint[][] {
  const length = x.shape[x.shape.length - 1] as number;
  return Array.from({ length: x.data.length / length }, (_, r) => x.data.slice(r * length, (r + 1) * length));
}

function evaluate(op: Op, operand: (o: Operand) => Tensor, constant: (name: string) => Tensor): Tensor {
  const param = (p: Param, j: number): bigint => {
    if (typeof p === 'number') return BigInt(p);
    const { data } = constant(p.constant);
    return data[data.length === 1 ? 0 : j] as bigint;
  };
  switch (op.op) {
    case 'requantize': {
      const x = operand(op.x);
      const channels = op.channels === undefined ? undefined : constant(op.channels).data.map(Number);
      const shape = channels === undefined ? x.shape : [...x.shape.slice(0, -1), channels.length];
      const row = op.row === undefined ? undefined : operand(op.row);
      const a = op.addend === undefined ? undefined : operand(op.addend.operand);
      const data = Array.from({ length: count(shape) }, (_, i) => {
        const index = unravel(i, shape);
        const j = ravel(index.slice(op.axis, op.axis + op.run), shape.slice(op.axis, op.axis + op.run));
        const source = channels === undefined ? index : [...index.slice(0, -1), channels[j] as number];
        const v = x.data[ravel(source, x.shape)] as bigint;
        let numerator = v * param(op.m, j);
        if (row !== undefined) {
          const code = row.data[ravel(index.slice(0, -1), row.shape)] as bigint;
          numerator *= (16n + (code & 15n)) * 2n ** (code >> 4n);
          if (op.bias !== undefined) numerator += (constant(op.bias).data[j] as bigint) * 2n ** BigInt(op.k ?? 0);
        }
        let y = rne(numerator, 2n ** param(op.e, j)) + param(op.z, j);
        if (a !== undefined && op.addend !== undefined) {
          const own = index.slice(shape.length - a.shape.length).map((n, axis) => (a.shape[axis] === 1 ? 0 : n));
          y += rne((a.data[ravel(own, a.shape)] as bigint) * BigInt(op.addend.m), 2n ** BigInt(op.addend.e));
        }
        return clamp(y, op.to);
      });
      return { shape, data };
    }
    case 'rowscale': {
      const x = operand(op.x);
      const data = rowsOf(x).map((row) => {
        let D = 16n;
        row.forEach((v, c) => {
          const need = v >= 0n ? [16n * v, param(op.cp, c)] : [-16n * v, param(op.cn, c)];
          D = max(D, -floorDiv(-(need[0] as bigint), need[1] as bigint));
        });
        let E = max(0n, bitLength(D) - 5n);
        let f = -floorDiv(-D, 2n ** E);
        if (f === 32n) {
          f = 16n;
          E += 1n;
        }
        return 16n * E + f - 16n;
      });
      return { shape: x.shape.slice(0, -1), data };
    }
    case 'rowquantize': {
      const x = operand(op.x);
      const row = operand(op.row);
      const width = x.shape[x.shape.length - 1] as number;
      const channels =
        op.channels === undefined ? Array.from({ length: width }, (_, c) => c) : constant(op.channels).data.map(Number);
      const data = rowsOf(x).flatMap((values, r) => {
        const code = row.data[r] as bigint;
        const E = code >> 4n;
        return channels.map((c, j) => {
          const v =
            ((values[c] as bigint) * (M16[Number(16n + (code & 15n))] as bigint) + 2n ** (14n + E)) >> (15n + E);
          const slot = op.slot === undefined ? 0n : (constant(op.slot).data[j] as bigint);
          return clamp(v + BigInt(op.z) - 255n * slot, 'i8');
        });
      });
      return { shape: [...x.shape.slice(0, -1), channels.length], data };
    }
    case 'linear': {
      const x = operand(op.x);
      const w = constant(op.w);
      const N = w.shape[0] as number;
      const K = w.shape[1] as number;
      const data = rowsOf(x).flatMap((row) =>
        Array.from({ length: N }, (_, n) =>
          row.reduce(
            (sum, v, k) => sum + v * (w.data[n * K + k] as bigint),
            op.b === undefined ? 0n : (constant(op.b).data[n] as bigint),
          ),
        ),
      );
      return { shape: [...x.shape.slice(0, -1), N], data };
    }
    case 'matmul': {
      const a = operand(op.a);
      const b = operand(op.b);
      const K = a.shape[a.shape.length - 1] as number;
      const shape = [...a.shape.slice(0, -1), b.shape[b.shape.length - 1] as number];
      const data = Array.from({ length: count(shape) }, (_, at) => {
        const index = unravel(at, shape);
        const lead = index.slice(0, -2);
        const [i, j] = index.slice(-2) as [number, number];
        let sum = 0n;
        for (let k = 0; k < K; k++) {
          sum +=
            (a.data[ravel([...lead, i, k], a.shape)] as bigint) * (b.data[ravel([...lead, k, j], b.shape)] as bigint);
        }
        return sum;
      });
      return { shape, data };
    }
    case 'softmax': {
      const x = operand(op.x);
      const bits = BigInt(op.bits);
      const top = 2n ** (bits - 1n) - 1n;
      const { exponential } = op;
      const data = rowsOf(x).flatMap((row) => {
        const peak = row.reduce(max);
        if ('pow2' in exponential) {
          const F = BigInt(exponential.pow2);
          const E = row.map((v) => {
            const d = peak - v;
            const i = (d + 2n ** F - 1n) >> F;
            const g = (i << F) - d;
            return i > 31n ? 0n : (pow2Table(exponential.pow2)[Number(g)] as bigint) >> i;
          });
          const S = E.reduce((p, c) => p + c);
          const h = max(0n, bitLength(S) - 16n);
          const r = floorDiv(M, S >> h);
          return E.map((e) => min((e * r + 2n ** (31n - bits + h)) >> (32n - bits + h), top));
        }
        const E = row.map((v) => {
          if ('shift' in exponential) return sexp(v - peak, BigInt(exponential.shift), BigInt(exponential.n));
          const { data: table } = constant(exponential.table);
          return table[Number(min(peak - v, BigInt(table.length - 1)))] as bigint;
        });
        const f = floorDiv(
          M,
          min(
            E.reduce((p, c) => p + c),
            M,
          ),
        );
        return E.map((e) => min((e * f) >> (32n - bits), top));
      });
      return { shape: x.shape, data };
    }
    case 'shiftgelu': {
      const x = operand(op.x);
      const data = rowsOf(x).flatMap((row) => {
        const peak = row.reduce(max);
        const F = min(sexp(-peak, BigInt(op.x0), BigInt(op.n)), M);
        return row.map((v) => {
          const E = sexp(v - peak, BigInt(op.x0), BigInt(op.n));
          const S = min(E + F, M);
          return v * min((E * floorDiv(M, S)) >> 24n, 127n);
        });
      });
      return { shape: x.shape, data };
    }
    case 'layernorm': {
      const x = operand(op.x);
      const data = rowsOf(x).flatMap((row) => {
        const mean = rne(
          row.reduce((p, c) => p + c),
          BigInt(row.length),
        );
        const v = row.reduce((sum, c) => sum + (c - mean) ** 2n, 0n);
        let k = 2n ** 16n;
        for (let i = 0; i < 10; i++) k = (k + v / k) >> 1n;
        return row.map(
          (c, j) => (((c - mean) * (M / k)) >> 1n) + (op.b === undefined ? 0n : (constant(op.b).data[j] as bigint)),
        );
      });
      return { shape: x.shape, data };
    }
    case 'lookup': {
      const x = operand(op.x);
      const table = constant(op.table);
      const C = table.shape.length === 2 ? (table.shape[0] as number) : 1;
      return {
        shape: x.shape,
        data: x.data.map((v, i) => table.data[(i % C) * 256 + Number(v) + (x.unsigned ? 0 : 128)] as bigint),
      };
    }
    case 'ramplookup': {
      const x = operand(op.x);
      const table = constant(op.table).data;
      const at = (v: bigint): bigint => table[Number(min(v < 0n ? -v : v, BigInt(table.length - 1)))] as bigint;
      return { shape: x.shape, data: x.data.map((v) => max(v, 0n) * 2n ** BigInt(op.u) + at(v)) };
    }
    case 'mean': {
      const x = operand(op.x);
      const shape = x.shape.filter((_, axis) => axis !== op.axis);
      const size = x.shape[op.axis] as number;
      const data = Array.from({ length: count(shape) }, (_, i) => {
        const index = unravel(i, shape);
        let sum = 0n;
        for (let k = 0; k < size; k++) sum += x.data[ravel(index.toSpliced(op.axis, 0, k), x.shape)] as bigint;
        return rne(sum, BigInt(size));
      });
      return { shape, data };
    }
    case 'gather': {
      const x = operand(op.x);
      const rows = constant(op.rows).data.map(Number);
      const data = rows.flatMap((r) => x.data.slice(r * op.width, (r + 1) * op.width));
      return { shape: [rows.length, op.width], data };
    }
    case 'concat': {
      const parts = op.operands.map(operand);
      const size = parts.reduce((sum, part) => sum + (part.shape[0] as number), 0);
      return { shape: [size, ...(parts[0] as Tensor).shape.slice(1)], data: parts.flatMap((part) => part.data) };
    }
  }
}

/** Every value of one image. */
export function interpret(program: Program, pixels: Uint8Array): Map<string, readonly bigint[]> {
  const constants = new Map<string, Tensor>();
  const constant = (name: string): Tensor => {
    let tensor = constants.get(name);
    if (tensor === undefined) {
      const { shape, data } = program.constants[name] as Program['constants'][string];
      tensor = { shape, data: Array.from(data, (v) => BigInt(v)) };
      constants.set(name, tensor);
    }
    return tensor;
  };
  const values = new Map<string, readonly bigint[]>([[program.input, Array.from(pixels, (v) => BigInt(v))]]);
  const operand = (o: Operand): Tensor => {
    if ('constant' in o) {
      return { ...see(constant(o.constant), o.view), unsigned: program.constants[o.constant]?.dtype === 'u8' };
    }
    const { shape, dtype } = program.values[o.value] as Program['values'][string];
    return { ...see({ shape, data: values.get(o.value) as readonly bigint[] }, o.view), unsigned: dtype === 'u8' };
  };
  for (const op of program.ops) values.set(op.result, evaluate(op, operand, constant).data);
  return values;
}
