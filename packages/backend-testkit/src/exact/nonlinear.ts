import type { LayernormOp, RamplookupOp, ShiftgeluOp, SoftmaxOp } from '@ivit/program';
import { bitLength, floorDiv, larger, M, powerTable, rne, shiftExponential, smaller } from './integers.js';
import type { Operands } from './operands.js';
import { rowsOf, store, type Tensor, tensorOf } from './tensor.js';

const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);

function softmaxPow2(row: readonly bigint[], peak: bigint, octave: number, bits: bigint): readonly bigint[] {
  const exponentials = row.map((value) => pow2At(peak - value, octave));
  const total = sum(exponentials);
  const h = larger(0n, bitLength(total) - 16n);
  const r = floorDiv(M, total >> h);
  return exponentials.map((e) => (e * r + (1n << (31n - bits + h))) >> (32n - bits + h));
}

function pow2At(d: bigint, octave: number): bigint {
  const F = BigInt(octave);
  const i = (d + (1n << F) - 1n) >> F;
  return i > 31n ? 0n : (powerTable(octave)[Number((i << F) - d)] as bigint) >> i;
}

/** Log2 codes of ivit/1.1, the code found by search: the least c with r < 1.5·2^c. */
function softmaxLog2(op: SoftmaxOp, x: Tensor, exponentialOf: (d: bigint) => bigint): Tensor {
  const y = tensorOf('u8', x.shape);
  let at = 0;
  for (const entries of rowsOf(x)) {
    const row = Array.from(entries, (entry) => BigInt(entry));
    const peak = row.reduce(larger);
    const { exponential } = op;
    const exponentials = row.map((value) =>
      'pow2' in exponential ? pow2At(peak - value, exponential.pow2) : exponentialOf(peak - value),
    );
    const total = sum(exponentials);
    for (const e of exponentials) {
      let code = 0n;
      while (code < 15n && (e === 0n || 2n * rne(total, e) >= 3n << code)) code += 1n;
      store(y, at++, code);
    }
  }
  return y;
}

export function softmax(op: SoftmaxOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const y = tensorOf(op.bits === 8 ? 'i8' : 'i16', x.shape);
  const bits = BigInt(op.bits);
  const top = (1n << (bits - 1n)) - 1n;
  const { exponential } = op;
  const distance = new Map<bigint, bigint>();
  const exponentialOf = (d: bigint): bigint => {
    let e = distance.get(d);
    if (e !== undefined) return e;
    if ('shift' in exponential) {
      e = shiftExponential(-d, BigInt(exponential.shift), BigInt(exponential.n));
    } else if ('table' in exponential) {
      const table = operands.constant(exponential.table).data;
      e = BigInt(table[Number(smaller(d, BigInt(table.length - 1)))] as number);
    } else {
      throw new RangeError('softmax pow2 needs the whole row');
    }
    distance.set(d, e);
    return e;
  };
  if (op.log2 !== undefined) return softmaxLog2(op, x, exponentialOf);
  let at = 0;
  for (const entries of rowsOf(x)) {
    const row = Array.from(entries, (entry) => BigInt(entry));
    const peak = row.reduce(larger);
    if ('pow2' in exponential) {
      for (const p of softmaxPow2(row, peak, exponential.pow2, bits)) store(y, at++, smaller(p, top));
      continue;
    }
    const exponentials = row.map((value) => exponentialOf(peak - value));
    const f = floorDiv(M, smaller(sum(exponentials), M));
    for (const e of exponentials) store(y, at++, smaller((e * f) >> (32n - bits), top));
  }
  return y;
}

export function shiftgelu(op: ShiftgeluOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const y = tensorOf('i16', x.shape);
  const [x0, n] = [BigInt(op.x0), BigInt(op.n)];
  let at = 0;
  for (const entries of rowsOf(x)) {
    const row = Array.from(entries, (entry) => BigInt(entry));
    const peak = row.reduce(larger);
    const atZero = smaller(shiftExponential(-peak, x0, n), M);
    for (const value of row) {
      const e = shiftExponential(value - peak, x0, n);
      const total = smaller(e + atZero, M);
      store(y, at++, value * smaller((e * floorDiv(M, total)) >> 24n, 127n));
    }
  }
  return y;
}

export function layernorm(op: LayernormOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const y = tensorOf('i32', x.shape);
  const b = op.b === undefined ? undefined : operands.constant(op.b).data;
  let at = 0;
  for (const entries of rowsOf(x)) {
    const row = Array.from(entries, (entry) => BigInt(entry));
    const mean = rne(sum(row), BigInt(row.length));
    const v = sum(row.map((value) => (value - mean) * (value - mean)));
    let k = 1n << 16n;
    for (let step = 0; step < 10; step++) k = (k + floorDiv(v, k)) >> 1n;
    const f = floorDiv(M, k);
    for (const [c, value] of row.entries()) {
      store(y, at++, (((value - mean) * f) >> 1n) + (b === undefined ? 0n : BigInt(b[c] as number)));
    }
  }
  return y;
}

export function ramplookup(op: RamplookupOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const y = tensorOf('i32', x.shape);
  const table = operands.constant(op.table).data;
  for (const [index, value] of x.data.entries()) {
    const entry = table[Math.min(Math.abs(value), table.length - 1)] as number;
    store(y, index, (BigInt(Math.max(value, 0)) << BigInt(op.u)) + BigInt(entry));
  }
  return y;
}
