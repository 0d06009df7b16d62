import type { Dyadic } from '@ivit/dyadic';
import { IvitError, type Operand, type ProgramBuilder } from '@ivit/program';
import type { Dyadics, IntegerLinear, PaperMlpParameters, PaperPatchParameters } from './types.js';

/** Right shift of the exponential in Shiftmax and ShiftGELU (the paper's n). */
export const SOFTMAX_N = 15;
const GELU_N = 23;

/** The scalar of a uniform list, or a constant. */
export function parameter(builder: ProgramBuilder, name: string, dtype: 'i32' | 'u8', list: Int32Array | Uint8Array) {
  const first = list[0] as number;
  if (list.every((value) => value === first)) return first;
  return { constant: builder.constant(name, dtype, [list.length], list) };
}

/** `requantize` over the last axis of `x` (of the given rank), or per tensor where there is one multiplier. */
export function requantize(
  builder: ProgramBuilder,
  result: string,
  x: Operand,
  rank: number,
  factors: Dyadics,
  to: 'i8' | 'i16',
): string {
  const perChannel = factors.m.length > 1;
  return builder.add({
    op: 'requantize',
    result,
    x,
    m: parameter(builder, `${result}.m`, 'i32', factors.m),
    e: parameter(builder, `${result}.e`, 'u8', factors.e),
    z: 0,
    axis: perChannel ? rank - 1 : 0,
    run: perChannel ? 1 : 0,
    to,
  });
}

/** Residual add: two roundings, one saturating sum. */
export function residualAdd(
  builder: ProgramBuilder,
  result: string,
  x: string,
  factor: Dyadic,
  stream: Operand,
  other: Dyadic,
): string {
  return builder.add({
    op: 'requantize',
    result,
    x: { value: x },
    m: factor.m,
    e: factor.e,
    z: 0,
    axis: 0,
    run: 0,
    to: 'i16',
    addend: { operand: stream, m: other.m, e: other.e },
  });
}

/** Linear layer; no bias op where the layer has none. */
export function linear(
  builder: ProgramBuilder,
  result: string,
  x: Operand,
  n: number,
  k: number,
  layer: Pick<IntegerLinear, 'weight'> & Partial<IntegerLinear>,
): string {
  const w = builder.constant(`${result}.weight`, 'i8', [n, k], layer.weight);
  if (layer.bias === undefined) return builder.add({ op: 'linear', result, x, w });
  const b = builder.constant(`${result}.bias`, 'i32', [n], layer.bias);
  return builder.add({ op: 'linear', result, x, w, b });
}

export function layernorm(builder: ProgramBuilder, result: string, x: string, bias: Int32Array): string {
  const b = builder.constant(`${result}.bias`, 'i32', [bias.length], bias);
  return builder.add({ op: 'layernorm', result, x: { value: x }, b });
}

/** Rows of patch·3 bytes, in the order patch, ky: each image line is imageSize/patchSize such rows. */
function patchRows(imageSize: number, patchSize: number): Int32Array {
  const side = imageSize / patchSize; // float-ok: exact, checked by the caller
  const rows = new Int32Array(side * side * patchSize);
  let at = 0;
  for (let top = 0; top < side; top += 1) {
    for (let left = 0; left < side; left += 1) {
      for (let y = 0; y < patchSize; y += 1, at += 1) rows[at] = (top * patchSize + y) * side + left;
    }
  }
  return rows;
}

/** Pixels to `patch_embed.proj` i32 [patches,dim], the patch projection's accumulators. */
export function writePatches(
  builder: ProgramBuilder,
  geometry: { readonly imageSize: number; readonly patchSize: number; readonly dim: number },
  parameters: PaperPatchParameters,
): string {
  const { imageSize, patchSize, dim } = geometry;
  const width = patchSize * 3;
  builder.constant('qact_input.table', 'i8', [3, 256], parameters.pixelTable);
  builder.add({ op: 'lookup', result: 'qact_input', x: { value: 'pixels' }, table: 'qact_input.table' });
  const rows = patchRows(imageSize, patchSize);
  builder.constant('patches.rows', 'i32', [rows.length], rows);
  const patches = rows.length / patchSize; // float-ok: exact, rows come in patches
  builder.add({ op: 'gather', result: 'patches', x: { value: 'qact_input' }, rows: 'patches.rows', width }, [
    patches,
    patchSize * width,
  ]);
  return linear(builder, 'patch_embed.proj', { value: 'patches' }, dim, patchSize * width, parameters.patchEmbed);
}

/** fc1, ShiftGELU and fc2: i8 `x [N,D]` to i16 `NAME.mlp.qact2 [N,D]`. */
export function writeMlp(
  builder: ProgramBuilder,
  name: string,
  dim: number,
  mlpDim: number,
  block: PaperMlpParameters,
  x: string,
): string {
  const mlp = `${name}.mlp`;
  linear(builder, `${mlp}.fc1`, { value: x }, mlpDim, dim, block.fc1);
  requantize(builder, `${mlp}.qact_gelu`, { value: `${mlp}.fc1` }, 2, block.mlpQactGelu, 'i8');
  builder.add({
    op: 'shiftgelu',
    result: `${mlp}.act`,
    x: { value: `${mlp}.qact_gelu` },
    x0: block.geluX0,
    n: GELU_N,
  });
  requantize(builder, `${mlp}.qact1`, { value: `${mlp}.act` }, 2, block.mlpQact1, 'i8');
  linear(builder, `${mlp}.fc2`, { value: `${mlp}.qact1` }, dim, mlpDim, block.fc2);
  return requantize(builder, `${mlp}.qact2`, { value: `${mlp}.fc2` }, 2, block.mlpQact2, 'i16');
}

/** @throws IvitError `E_MODEL_SHAPE` */
export function requireMultiple(value: number, divisor: number, what: string): void {
  if (value % divisor !== 0) {
    throw new IvitError('E_MODEL_SHAPE', `${value} is no multiple of ${divisor}`, {
      where: what,
      hint: 'Correct the geometry.',
    });
  }
}
