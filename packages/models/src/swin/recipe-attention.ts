import type { ProgramBuilder } from '@ivit/program';
import { addRowLinear, addScaling } from '../vit/recipe-ops.js';
import type { RowQuantized } from '../vit/row-quantize.js';
import type { SwinBlockGeometry } from './geometry.js';
import type { SwinRecipeBlock } from './recipe-types.js';
import { shiftMask } from './windows.js';

/** Adds the mask of a stage's shifted windows, i8 `[windows,1,N,N]`, and returns its name; once per program and stage. */
export function addShiftMask(builder: ProgramBuilder, stage: number, geometry: SwinBlockGeometry): string {
  const { side, window, shift } = geometry;
  const tokens = window * window;
  const windows = (side / window) ** 2;
  const mask = shiftMask(side, window, shift);
  return builder.constant(`layers.${stage}.mask`, 'i8', [windows, 1, tokens, tokens], mask);
}

/**
 * qkv and attention within windows: row-quantized `x [side²,C]`, tokens in the order of the windows, to i16
 * `PREFIX.attention [windows,N,H,d]`. The position bias is added where the logits are rescaled, the mask after that.
 *
 * @param mask of {@link addShiftMask}, for shifted windows.
 * @param table of `addSoftmaxTable`
 */
export function addWindowAttention(
  builder: ProgramBuilder,
  geometry: SwinBlockGeometry,
  prefix: string,
  x: RowQuantized,
  block: Pick<SwinRecipeBlock, 'qkv' | 'logits' | 'attention' | 'positionBias' | 'maskUnits'>,
  mask: string | undefined,
  table?: string,
): string {
  const { side, dim, heads, window } = geometry;
  const width = dim / heads;
  const tokens = window * window;
  const windows = (side / window) ** 2;
  const line = 3 * dim;
  const name = `${prefix}.attention`;
  const qkv = addRowLinear(builder, `${prefix}.qkv`, `${prefix}.qkv`, x, block.qkv, 'i8');
  const part = (offset: number, transposed: boolean) => ({
    value: qkv,
    view: {
      offset,
      shape: transposed ? [windows, heads, width, tokens] : [windows, heads, tokens, width],
      strides: transposed ? [tokens * line, width, 1, line] : [tokens * line, width, line, 1],
    },
  });
  const products = builder.add({ op: 'matmul', result: `${name}.products`, a: part(0, false), b: part(dim, true) });
  const bias = builder.constant(`${prefix}.position`, 'i16', [heads, tokens, tokens], block.positionBias);
  const scaled = addScaling(
    builder,
    `${name}.logits`,
    { value: products },
    block.logits.scaling,
    { axis: 1, run: 1 },
    {
      operand: {
        constant: bias,
        view: {
          offset: 0,
          shape: [windows, heads, tokens, tokens],
          strides: [0, tokens * tokens, tokens, 1],
        },
      },
      m: 1,
      e: 0,
    },
  );
  const logits =
    mask === undefined
      ? scaled
      : builder.add({
          op: 'requantize',
          result: `${name}.masked`,
          x: { value: scaled },
          m: 1,
          e: 0,
          z: 0,
          axis: 0,
          run: 0,
          to: 'i16',
          addend: {
            operand: {
              constant: mask,
              view: {
                offset: 0,
                shape: [windows, heads, tokens, tokens],
                strides: [tokens * tokens, 0, tokens, 1],
              },
            },
            m: block.maskUnits,
            e: 0,
          },
        });
  const probabilities = builder.add({
    op: 'softmax',
    result: `${name}.probabilities`,
    x: { value: logits },
    exponential: table === undefined ? { pow2: block.logits.fractionBits } : { table },
    bits: 16,
  });
  const sums = builder.add({
    op: 'matmul',
    result: `${name}.sums`,
    a: { value: probabilities },
    b: part(2 * dim, false),
  });
  const byToken = {
    value: sums,
    view: {
      offset: 0,
      shape: [windows, tokens, heads, width],
      strides: [heads * tokens * width, width, tokens * width, 1],
    },
  };
  return addScaling(builder, name, byToken, block.attention.scaling, { axis: 2, run: 2 });
}
