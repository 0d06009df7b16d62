import type { Param, RequantizeOp, RowquantizeOp, RowscaleOp } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { bitLength, floorDiv, larger, rne } from './integers.js';
import type { Operands } from './operands.js';
import { broadcast, rowsOf, store, type Tensor, tensorOf } from './tensor.js';

const LIMITS = {
  i8: [-128n, 127n],
  i16: [-32768n, 32767n],
  i32: [-2147483648n, 2147483647n],
} as const;

function clamp(value: bigint, to: 'i8' | 'i16' | 'i32'): bigint {
  const [lo, hi] = LIMITS[to];
  return value < lo ? lo : value > hi ? hi : value;
}

/** Entry j of a parameter, for every j. */
function parameter(param: Param, operands: Operands): (channel: number) => bigint {
  if (typeof param === 'number') {
    const value = BigInt(param);
    return () => value;
  }
  const entries = Array.from(operands.constant(param.constant).data, (entry) => BigInt(entry));
  return entries.length === 1 ? () => entries[0] as bigint : (channel) => entries[channel] as bigint;
}

/** f·2^E of a row code. */
function rowFactor(code: number): bigint {
  return BigInt(16 + (code & 15)) << BigInt(code >> 4);
}

export function requantize(op: RequantizeOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const chosen = op.channels === undefined ? undefined : operands.constant(op.channels).data;
  const shape = chosen === undefined ? x.shape : [...x.shape.slice(0, -1), chosen.length];
  const y = tensorOf(op.to, shape);
  const sources = elementCount(x.shape.slice(op.axis, op.axis + op.run));
  const channels = chosen?.length ?? sources;
  const inner = elementCount(x.shape.slice(op.axis + op.run));
  const outer = elementCount(x.shape.slice(0, op.axis));
  const [m, e, z] = [parameter(op.m, operands), parameter(op.e, operands), parameter(op.z, operands)];
  const row = op.row === undefined ? undefined : operands.read(op.row).data;
  const bias = op.bias === undefined ? undefined : operands.constant(op.bias).data;
  const addend = op.addend === undefined ? undefined : broadcast(operands.read(op.addend.operand), shape).data;
  const [addM, addE] = [BigInt(op.addend?.m ?? 0), 1n << BigInt(op.addend?.e ?? 0)];
  let at = 0;
  for (let o = 0; o < outer; o++) {
    const factor = row === undefined ? 1n : rowFactor(row[o] as number);
    for (let j = 0; j < channels; j++) {
      const from = (o * sources + (chosen === undefined ? j : (chosen[j] as number))) * inner;
      const extra = bias === undefined ? 0n : BigInt(bias[j] as number) << BigInt(op.k ?? 0);
      for (let i = 0; i < inner; i++, at++) {
        const numerator = BigInt(x.data[from + i] as number) * m(j) * factor + extra;
        const added = addend === undefined ? 0n : rne(BigInt(addend[at] as number) * addM, addE);
        store(y, at, clamp(rne(numerator, 1n << e(j)) + added + z(j), op.to));
      }
    }
  }
  return y;
}

export function rowscale(op: RowscaleOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const y = tensorOf('u8', x.shape.slice(0, -1));
  const [cp, cn] = [parameter(op.cp, operands), parameter(op.cn, operands)];
  for (const [index, row] of rowsOf(x).entries()) {
    let need = 16n;
    for (const [c, entry] of row.entries()) {
      const value = BigInt(entry);
      // ⌈16·|x| / capacity of its side⌉
      const steps = value >= 0n ? -floorDiv(-16n * value, cp(c)) : -floorDiv(16n * value, cn(c));
      need = larger(need, steps);
    }
    let exponent = larger(0n, bitLength(need) - 5n);
    let f = -floorDiv(-need, 1n << exponent);
    if (f === 32n) {
      f = 16n;
      exponent += 1n;
    }
    store(y, index, 16n * exponent + f - 16n);
  }
  return y;
}

export function rowquantize(op: RowquantizeOp, operands: Operands): Tensor {
  const x = operands.read(op.x);
  const codes = operands.read(op.row).data;
  const width = x.shape[x.shape.length - 1] as number;
  const chosen =
    op.channels === undefined ? Int32Array.from({ length: width }, (_, c) => c) : operands.constant(op.channels).data;
  const slot = op.slot === undefined ? undefined : operands.constant(op.slot).data;
  const y = tensorOf('i8', [...x.shape.slice(0, -1), chosen.length]);
  let at = 0;
  for (const [index, row] of rowsOf(x).entries()) {
    const code = codes[index] as number;
    const inverse = rne(1n << 19n, BigInt(16 + (code & 15)));
    const exponent = BigInt(code >> 4);
    for (const [j, c] of chosen.entries()) {
      const v = (BigInt(row[c] as number) * inverse + (1n << (14n + exponent))) >> (15n + exponent);
      const ranges = slot === undefined ? 0n : 255n * BigInt(slot[j] as number);
      store(y, at++, clamp(v + BigInt(op.z) - ranges, 'i8'));
    }
  }
  return y;
}
