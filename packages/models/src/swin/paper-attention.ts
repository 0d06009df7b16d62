import type { ProgramBuilder } from '@ivit/program';
import { linear, requantize, SOFTMAX_N } from '../paper/steps.js';
import type { SwinBlockGeometry } from './geometry.js';
import type { PaperSwinBlockParameters } from './paper-parameters.js';
import { inverseRows, shiftMask, windowRows } from './windows.js';

/** Adds a constant of a stage once, whichever block asks first. */
function shared(builder: ProgramBuilder, made: Set<string>, name: string, make: () => Int32Array): string {
  if (!made.has(name)) {
    const rows = make();
    builder.constant(name, 'i32', [rows.length], rows);
    made.add(name);
  }
  return name;
}

/** Masked pairs get `maskUnits` more, as i16: the sum may leave i8, and stays far below every other logit. */
function writeMask(
  builder: ProgramBuilder,
  made: Set<string>,
  stage: string,
  attn: string,
  geometry: SwinBlockGeometry,
  maskUnits: number,
): string {
  const { side, window, shift } = geometry;
  const tokens = window * window;
  const mask = `${stage}.mask`;
  if (!made.has(mask)) {
    const windows = (side / window) ** 2;
    builder.constant(mask, 'i8', [windows, 1, tokens, tokens], shiftMask(side, window, shift));
    made.add(mask);
  }
  return builder.add({
    op: 'requantize',
    result: `${attn}.masked`,
    x: { value: `${attn}.qact2` },
    m: 1,
    e: 0,
    z: 0,
    axis: 0,
    run: 0,
    to: 'i16',
    addend: { operand: { constant: mask }, m: maskUnits, e: 0 },
  });
}

/**
 * Windowed attention of one block: i8 `x [side²,C]` to i16 `NAME.attn.qact4` in window order, and back to the grid.
 * Values are `[windows, …]` with N = window² tokens each.
 *
 * @param made Names of the stage's index tables that the program has already.
 * @returns the value in grid order, i16 `[side²,C]`.
 */
export function writeWindowAttention(
  builder: ProgramBuilder,
  made: Set<string>,
  stage: string,
  name: string,
  geometry: SwinBlockGeometry,
  block: PaperSwinBlockParameters,
  x: string,
): string {
  const { side, dim, heads, window, shift } = geometry;
  const tokens = window * window;
  const windows = (side / window) ** 2;
  const width = dim / heads;
  const attn = `${name}.attn`;
  const order = shift === 0 ? 'windows' : 'shifted';
  const rows = windowRows(side, window, shift);
  const into = shared(builder, made, `${stage}.${order}.rows`, () => rows);
  builder.add({ op: 'gather', result: `${attn}.windows`, x: { value: x }, rows: into, width: dim }, [
    windows,
    tokens,
    dim,
  ]);
  const qkv = linear(builder, `${attn}.qkv`, { value: `${attn}.windows` }, 3 * dim, dim, block.qkv);
  const codes = requantize(builder, `${attn}.qact1`, { value: qkv }, 3, block.attnQact1, 'i8');
  const line = 3 * dim;
  const part = (offset: number) => ({
    value: codes,
    view: { offset, shape: [windows, heads, tokens, width], strides: [tokens * line, width, line, 1] },
  });
  const keys = {
    value: codes,
    view: { offset: dim, shape: [windows, heads, width, tokens], strides: [tokens * line, width, 1, line] },
  };
  builder.add({ op: 'matmul', result: `${attn}.matmul_1`, a: part(0), b: keys });
  requantize(builder, `${attn}.qact_attn1`, { value: `${attn}.matmul_1` }, 4, block.attnLogits, 'i8');
  const bias = builder.constant(`${attn}.position_bias`, 'i8', [heads, tokens, tokens], block.positionBias);
  const biased = builder.add({
    op: 'requantize',
    result: `${attn}.qact2`,
    x: { value: `${attn}.qact_attn1` },
    m: block.logitsPart.m,
    e: block.logitsPart.e,
    z: 0,
    axis: 0,
    run: 0,
    to: 'i8',
    addend: { operand: { constant: bias }, ...block.biasPart },
  });
  const logits = shift === 0 ? biased : writeMask(builder, made, stage, attn, geometry, block.maskUnits);
  builder.add({
    op: 'softmax',
    result: `${attn}.log_int_softmax`,
    x: { value: logits },
    exponential: { shift: block.softmaxX0, n: SOFTMAX_N },
    bits: 8,
  });
  builder.add({ op: 'matmul', result: `${attn}.matmul_2`, a: { value: `${attn}.log_int_softmax` }, b: part(2 * dim) });
  const byToken = {
    value: `${attn}.matmul_2`,
    view: {
      offset: 0,
      shape: [windows, tokens, heads, width],
      strides: [heads * tokens * width, width, tokens * width, 1],
    },
  };
  requantize(builder, `${attn}.qact3`, byToken, 4, block.attnMixed, 'i8');
  const joined = builder.reshape(`${attn}.qact3`, [windows, tokens, dim]);
  linear(builder, `${attn}.proj`, joined, dim, dim, block.proj);
  requantize(builder, `${attn}.qact4`, { value: `${attn}.proj` }, 3, block.attnProjected, 'i16');
  const back = shared(builder, made, `${stage}.${order}.inverse`, () => inverseRows(rows));
  return builder.add({ op: 'gather', result: `${attn}.grid`, x: { value: `${attn}.qact4` }, rows: back, width: dim }, [
    side * side,
    dim,
  ]);
}
