import { type Dyadic, INT32_MAX, normalizeDyadic, requantizeOne, requantizeSum, saturate } from '@ivit/dyadic';
import { createProgramBuilder, IvitError, type Operand, type Program, type ProgramBuilder } from '@ivit/program';
import type {
  Dyadics,
  IntegerLinear,
  PaperBlockParameters,
  PaperProgramDetails,
  PaperVitParameters,
} from './paper-parameters.js';

/** Right shift of the exponential in Shiftmax and ShiftGELU (the paper's n). */
const SOFTMAX_N = 15;
const GELU_N = 23;

/** Finest unit of the logits: 2^-16. */
const MAX_OUTPUT_SHIFT = 16;

/** Names follow the checkpoint's modules, so that every accumulator can be compared with its trace. */
interface Writer {
  readonly builder: ProgramBuilder;
  readonly parameters: PaperVitParameters;
  /** Tokens with the class token. */
  readonly tokens: number;
}

/** The scalar of a uniform list, or a constant. */
function parameter(builder: ProgramBuilder, name: string, dtype: 'i32' | 'u8', list: Int32Array | Uint8Array) {
  const first = list[0] as number;
  if (list.every((value) => value === first)) return first;
  return { constant: builder.constant(name, dtype, [list.length], list) };
}

/** `requantize` over the last axis of `x` (of the given rank), or per tensor where there is one multiplier. */
function requantize(
  { builder }: Writer,
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
function residualAdd(
  writer: Writer,
  result: string,
  x: string,
  factor: Dyadic,
  stream: Operand,
  other: Dyadic,
): string {
  return writer.builder.add({
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

function linear({ builder }: Writer, result: string, x: Operand, n: number, k: number, layer: IntegerLinear): string {
  const w = builder.constant(`${result}.weight`, 'i8', [n, k], layer.weight);
  const b = builder.constant(`${result}.bias`, 'i32', [n], layer.bias);
  return builder.add({ op: 'linear', result, x, w, b });
}

function layernorm({ builder }: Writer, result: string, x: string, bias: Int32Array): string {
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

/** The class token's row of the residual stream: clamp16(rne(cls·m/2^e) + rne(pos[0]·m1/2^e1)). */
function classRow({ classToken, position, patchPart, positionPart }: PaperVitParameters): Int16Array {
  return Int16Array.from(classToken, (token, c) => {
    const other = position[c] as number;
    return saturate(
      requantizeSum(token, patchPart.m, patchPart.e, other, positionPart.m, positionPart.e),
      -32768,
      32767,
    );
  });
}

function writeEmbedding(writer: Writer): string {
  const { builder, parameters } = writer;
  const { imageSize, patchSize, dim, position } = parameters;
  const patches = writer.tokens - 1;
  const width = patchSize * 3;
  builder.constant('qact_input.table', 'i8', [3, 256], parameters.pixelTable);
  builder.add({ op: 'lookup', result: 'qact_input', x: { value: 'pixels' }, table: 'qact_input.table' });
  const rows = patchRows(imageSize, patchSize);
  builder.constant('patches.rows', 'i32', [rows.length], rows);
  builder.add({ op: 'gather', result: 'patches', x: { value: 'qact_input' }, rows: 'patches.rows', width }, [
    patches,
    patchSize * width,
  ]);
  linear(writer, 'patch_embed.proj', { value: 'patches' }, dim, patchSize * width, parameters.patchEmbed);
  requantize(writer, 'patch_embed.qact', { value: 'patch_embed.proj' }, 2, parameters.patchQact, 'i16');
  builder.constant('qact_pos', 'i16', [patches, dim], position.subarray(dim));
  residualAdd(
    writer,
    'qact1.patches',
    'patch_embed.qact',
    parameters.patchPart,
    { constant: 'qact_pos' },
    parameters.positionPart,
  );
  builder.constant('qact1.class', 'i16', [1, dim], classRow(parameters));
  return builder.add({
    op: 'concat',
    result: 'qact1',
    operands: [{ constant: 'qact1.class' }, { value: 'qact1.patches' }],
  });
}

function writeAttention(writer: Writer, name: string, block: PaperBlockParameters, x: string): string {
  const { builder, parameters, tokens } = writer;
  const { dim, heads } = parameters;
  const width = dim / heads; // float-ok: exact, checked by the caller
  const attn = `${name}.attn`;
  const qkv = linear(writer, `${attn}.qkv`, { value: x }, 3 * dim, dim, block.qkv);
  const quantized = requantize(writer, `${attn}.qact1`, { value: qkv }, 2, block.attnQact1, 'i8');
  const logits = builder.add({
    op: 'matmul',
    result: `${attn}.matmul_1`,
    a: { value: quantized, view: { offset: 0, shape: [heads, tokens, width], strides: [width, 3 * dim, 1] } },
    b: { value: quantized, view: { offset: dim, shape: [heads, width, tokens], strides: [width, 1, 3 * dim] } },
  });
  const scaled = requantize(writer, `${attn}.qact_attn1`, { value: logits }, 3, block.attnLogits, 'i8');
  const probabilities = builder.add({
    op: 'softmax',
    result: `${attn}.int_softmax`,
    x: { value: scaled },
    exponential: { shift: block.softmaxX0, n: SOFTMAX_N },
    bits: 16,
  });
  const mixed = builder.add({
    op: 'matmul',
    result: `${attn}.matmul_2`,
    a: { value: probabilities },
    b: { value: quantized, view: { offset: 2 * dim, shape: [heads, tokens, width], strides: [width, 3 * dim, 1] } },
  });
  const byToken = { offset: 0, shape: [tokens, heads, width], strides: [width, tokens * width, 1] };
  requantize(writer, `${attn}.qact2`, { value: mixed, view: byToken }, 3, block.attnQact2, 'i8');
  const joined = builder.reshape(`${attn}.qact2`, [tokens, dim]);
  linear(writer, `${attn}.proj`, joined, dim, dim, block.proj);
  return requantize(writer, `${attn}.qact3`, { value: `${attn}.proj` }, 2, block.attnQact3, 'i16');
}

function writeMlp(writer: Writer, name: string, block: PaperBlockParameters, x: string): string {
  const { dim, mlpDim } = writer.parameters;
  const mlp = `${name}.mlp`;
  linear(writer, `${mlp}.fc1`, { value: x }, mlpDim, dim, block.fc1);
  requantize(writer, `${mlp}.qact_gelu`, { value: `${mlp}.fc1` }, 2, block.mlpQactGelu, 'i8');
  writer.builder.add({
    op: 'shiftgelu',
    result: `${mlp}.act`,
    x: { value: `${mlp}.qact_gelu` },
    x0: block.geluX0,
    n: GELU_N,
  });
  requantize(writer, `${mlp}.qact1`, { value: `${mlp}.act` }, 2, block.mlpQact1, 'i8');
  linear(writer, `${mlp}.fc2`, { value: `${mlp}.qact1` }, dim, mlpDim, block.fc2);
  return requantize(writer, `${mlp}.qact2`, { value: `${mlp}.fc2` }, 2, block.mlpQact2, 'i16');
}

function writeBlock(writer: Writer, name: string, block: PaperBlockParameters, stream: string): string {
  layernorm(writer, `${name}.norm1`, stream, block.norm1);
  const ln1 = requantize(writer, `${name}.qact1`, { value: `${name}.norm1` }, 2, block.qact1, 'i8');
  const attention = writeAttention(writer, name, block, ln1);
  const between = residualAdd(writer, `${name}.qact2`, attention, block.residual1, { value: stream }, block.stream1);
  layernorm(writer, `${name}.norm2`, between, block.norm2);
  const ln2 = requantize(writer, `${name}.qact3`, { value: `${name}.norm2` }, 2, block.qact3, 'i8');
  const mlp = writeMlp(writer, name, block, ln2);
  return residualAdd(writer, `${name}.qact4`, mlp, block.residual2, { value: between }, block.stream2);
}

/** Multipliers to the unit 2^-t, or undefined where some class could leave int32. */
function logitFactors(units: readonly Dyadic[], t: number, limits: readonly number[]): readonly Dyadic[] | undefined {
  const factors: Dyadic[] = [];
  for (const [index, unit] of units.entries()) {
    if (unit.m !== 0 && unit.e - t < 0) return undefined;
    const factor = normalizeDyadic(unit.m, unit.e - t);
    const largest = requantizeOne(limits[index] as number, factor.m, factor.e);
    if (largest > INT32_MAX || largest < -INT32_MAX) return undefined;
    factors.push(factor);
  }
  return factors;
}

/** Brings all classes to one unit 2^-t, the finest (t ≤ 16) at which no reachable logit leaves int32. */
function writeLogits(writer: Writer): number {
  const { builder, parameters } = writer;
  const known = builder.channels('head');
  const whole = builder.interval('head');
  const limits = parameters.headUnits.map((_, index) => {
    const lo = known === undefined ? whole.lo : (known.lo[index] as number);
    const hi = known === undefined ? whole.hi : (known.hi[index] as number);
    return Math.max(-lo, hi);
  });
  for (let t = MAX_OUTPUT_SHIFT; t >= 0; t -= 1) {
    const factors = logitFactors(parameters.headUnits, t, limits);
    if (factors === undefined) continue;
    const m = Int32Array.from(factors, (factor) => factor.m);
    const e = Uint8Array.from(factors, (factor) => factor.e);
    builder.add({
      op: 'requantize',
      result: 'logits',
      x: { value: 'head' },
      m: parameter(builder, 'logits.m', 'i32', m),
      e: parameter(builder, 'logits.e', 'u8', e),
      z: 0,
      axis: 0,
      run: 1,
      to: 'i32',
    });
    return t;
  }
  throw new IvitError('E_MODEL_SCALE', 'the logits may pass 2^31', {
    where: 'head',
    hint: 'The scales of the head are far outside those of a trained classifier.',
  });
}

function requireMultiple(value: number, divisor: number, what: string): void {
  if (value % divisor !== 0) {
    throw new IvitError('E_MODEL_SHAPE', `${value} is no multiple of ${divisor}`, {
      where: what,
      hint: 'Correct the geometry.',
    });
  }
}

/**
 * The paper's ViT (I-ViT) as a program: `pixels` u8 [H,W,3] to `logits` i32 [classes] in units of 2^-outputShift.
 * Values are named as the checkpoint's modules; `head` are the raw accumulators.
 *
 * @throws IvitError `E_MODEL_SHAPE`, `E_MODEL_SCALE`; `E_PROGRAM_…` where the parameters cannot be proved free of overflow.
 */
export function buildPaperProgram(parameters: PaperVitParameters, details: PaperProgramDetails): Program {
  const { imageSize, patchSize, dim, heads, classes } = parameters;
  requireMultiple(imageSize, patchSize, 'image and patch size');
  requireMultiple(dim, heads, 'dim and heads');
  const side = imageSize / patchSize; // float-ok: exact, checked above
  const builder = createProgramBuilder('pixels', [imageSize, imageSize, 3]);
  const writer: Writer = { builder, parameters, tokens: 1 + side * side };
  let stream = writeEmbedding(writer);
  for (const [index, block] of parameters.blocks.entries()) {
    stream = writeBlock(writer, `blocks.${index}`, block, stream);
  }
  layernorm(writer, 'norm', stream, parameters.norm);
  const classToken = { value: 'norm', view: { offset: 0, shape: [dim], strides: [1] } };
  requantize(writer, 'qact2', classToken, 1, parameters.qact2, 'i8');
  linear(writer, 'head', { value: 'qact2' }, classes, dim, parameters.head);
  const outputShift = writeLogits(writer);
  return builder.build({
    output: 'logits',
    outputShift,
    image: {
      resize: details.preprocess.resize,
      interpolation: details.preprocess.interpolation,
      crop: { height: imageSize, width: imageSize },
    },
    ...(details.labels === undefined ? {} : { labels: details.labels }),
    provenance: { architecture: 'vit' },
  });
}
