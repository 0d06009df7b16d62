import {
  type RequantizeAddend,
  type RequantizeDynamicParameters,
  requantizeChannelsInto,
  requantizeDynamicInto,
  requantizeInto,
} from '@ivit/dyadic';
import { rowQuantize, rowScale } from '@ivit/nonlinear';
import {
  DTYPE_RANGE,
  type Param,
  type RequantizeOp,
  type RowquantizeOp,
  type RowscaleOp,
  type ValidatedProgram,
} from '@ivit/program';
import type { DenseOperand, OperandReader } from '../operands.js';

/** Numerators below 2^52 are exact in f64 (dyadic's narrow form). */
const NARROW_BITS = 52;

function int32(param: Param, reader: OperandReader): Int32Array {
  return typeof param === 'number' ? Int32Array.of(param) : Int32Array.from(reader.constant(param.constant).data);
}

function product(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

export function requantizeStep(op: RequantizeOp, program: ValidatedProgram, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result);
  const { lo, hi } = DTYPE_RANGE[op.to];
  const wide = (program.facts.numeratorBits[op.result] ?? 64) > NARROW_BITS;
  const shape = program.values[op.result]?.shape as readonly number[];
  const added: DenseOperand | undefined = op.addend === undefined ? undefined : reader.dense(op.addend.operand, shape);
  const addend: RequantizeAddend | null =
    op.addend === undefined || added === undefined ? null : { values: added.data, m: op.addend.m, e: op.addend.e };
  const parameters: RequantizeDynamicParameters = {
    m: int32(op.m, reader),
    e: Uint8Array.from(int32(op.e, reader)),
    z: int32(op.z, reader),
    channels: op.channels === undefined ? null : Int32Array.from(reader.constant(op.channels).data),
    bias: op.bias === undefined ? null : Int32Array.from(reader.constant(op.bias).data),
    k: op.k ?? 0,
  };
  const run = x.shape.slice(op.axis, op.axis + op.run);
  const runCount = product(run);
  const inner = product(x.shape.slice(op.axis + op.run));
  const outer = product(x.shape.slice(0, op.axis));
  const lastAxis = op.run > 0 && inner === 1;

  let kernel: () => void;
  if (op.row !== undefined) {
    const row = reader.dense(op.row);
    const width = parameters.channels?.length ?? runCount;
    kernel = () => {
      row.refresh?.();
      const codes = row.data as Uint8Array;
      requantizeDynamicInto(out, 0, x.data, 0, runCount, codes, 0, outer, width, parameters, lo, hi, wide, addend);
    };
  } else if (lastAxis) {
    const width = parameters.channels?.length ?? runCount;
    kernel = () => requantizeChannelsInto(out, 0, x.data, 0, runCount, outer, width, parameters, lo, hi, wide, addend);
  } else {
    // One stretch of `inner` elements per outer index and channel; with run 0 the whole operand is one stretch.
    const { m, e, z } = parameters;
    const stretches = op.run === 0 ? 1 : outer * runCount;
    const length = op.run === 0 ? out.length : inner;
    kernel = () => {
      for (let s = 0; s < stretches; s++) {
        const channel = s % runCount;
        const from = s * length;
        const mj = m[m.length === 1 ? 0 : channel] as number;
        const ej = e[e.length === 1 ? 0 : channel] as number;
        const zj = z[z.length === 1 ? 0 : channel] as number;
        requantizeInto(out, from, x.data, from, length, mj, ej, zj, lo, hi, wide, addend, from);
      }
    };
  }
  return () => {
    x.refresh?.();
    added?.refresh?.();
    kernel();
  };
}

export function rowscaleStep(op: RowscaleOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const out = reader.data(op.result) as Uint8Array;
  const width = x.shape[x.shape.length - 1] as number;
  const cp = int32(op.cp, reader);
  const cn = int32(op.cn, reader);
  return () => {
    x.refresh?.();
    rowScale(out, 0, x.data, 0, out.length, width, cp, cn);
  };
}

export function rowquantizeStep(op: RowquantizeOp, reader: OperandReader): () => void {
  const x = reader.dense(op.x);
  const row = reader.dense(op.row);
  const out = reader.data(op.result) as Int8Array;
  const width = x.shape[x.shape.length - 1] as number;
  const channels = op.channels === undefined ? null : Int32Array.from(reader.constant(op.channels).data);
  const count = channels?.length ?? width;
  const slot = op.slot === undefined ? null : (reader.constant(op.slot).data as Int8Array);
  return () => {
    x.refresh?.();
    row.refresh?.();
    const codes = row.data as Uint8Array;
    rowQuantize(out, 0, x.data, 0, codes, 0, codes.length, width, count, op.z, channels, slot);
  };
}
