import {
  type Addend,
  createProgramBuilder,
  type InputDescription,
  type Operand,
  type Param,
  type Program,
  type ProgramBuilder,
  type Provenance,
} from '@ivit/program';
import { normInput } from './recipe-norm-input.js';
import {
  GELU_RAMP,
  type RecipeBlock,
  type RecipeEdge,
  type RecipeEmbed,
  type RecipeHead,
  type RecipeLinear,
  type RecipeLogits,
  type StaticScaling,
  type VitRecipe,
} from './recipe-types.js';
import { addRowQuantize, type RowQuantized } from './row-quantize.js';
import { patchCount, prefixTokens, readoutOf } from './tokens.js';
import type { VitConfig } from './types.js';

/** Names of the values that the recipe's program makes, for callers that ask a backend for them. */
export const PIXELS = 'pixels';
export const EMBED = 'embed';
export const LOGITS = 'logits';
/** The even GELU table, shared by all blocks. */
const GELU_TABLE = 'gelu.table';

/** Prefix of block `index` in value and constant names. */
export function blockPrefix(index: number): string {
  return `blocks.${index}`;
}

function addParam(builder: ProgramBuilder, name: string, data: Int32Array): Param {
  if (data.length === 1) return data[0] as number;
  return { constant: builder.constant(name, 'i32', [data.length], data) };
}

/** Static requantization to i16, per channel over the axes `axis … axis+run-1` or per tensor. */
export function addScaling(
  builder: ProgramBuilder,
  result: string,
  x: Operand,
  scaling: StaticScaling,
  axes: { readonly axis: number; readonly run: number },
  addend?: Addend,
): string {
  const { m, e, z } = scaling;
  const perTensor = m.length === 1 && (z === undefined || z.length === 1);
  return builder.add({
    op: 'requantize',
    result,
    x,
    m: addParam(builder, `${result}.m`, m),
    e,
    z: z === undefined ? 0 : addParam(builder, `${result}.z`, z),
    ...(perTensor ? { axis: 0, run: 0 } : axes),
    to: 'i16',
    ...(addend === undefined ? {} : { addend }),
  });
}

/** Linear on row-quantized input: i32 accumulator `NAME.sum`, requantized value `result`. */
export function addRowLinear(
  builder: ProgramBuilder,
  name: string,
  result: string,
  x: RowQuantized,
  linear: RecipeLinear,
  to: 'i8' | 'i16' | 'i32',
  addend?: Addend,
): string {
  const n = linear.offset.length;
  const w = builder.constant(`${name}.weight`, 'i8', [n, x.width], linear.weight, linear.bits);
  // A zero-point of 0 leaves no offset: the op does without b.
  const b = linear.offset.some((entry) => entry !== 0)
    ? { b: builder.constant(`${name}.offset`, 'i32', [n], linear.offset) }
    : {};
  const sum = builder.add({ op: 'linear', result: `${name}.sum`, x: { value: x.codes }, w, ...b });
  return builder.add({
    op: 'requantize',
    result,
    x: { value: sum },
    m: addParam(builder, `${name}.m`, linear.scaling.m),
    e: linear.scaling.e,
    z: 0,
    axis: builder.type(sum).shape.length - 1,
    run: 1,
    to,
    row: { value: x.row },
    bias: builder.constant(`${name}.bias`, 'i32', [n], linear.scaling.bias),
    k: linear.scaling.k,
    ...(addend === undefined ? {} : { addend }),
  });
}

/** Pixels `[H,W,3]` to the accumulators of the patch embedding, i32 `embed.sum [patches,D]`. */
export function addPatches(
  builder: ProgramBuilder,
  config: Pick<VitConfig, 'imageSize' | 'patchSize' | 'dim'>,
  embed: Pick<RecipeEmbed, 'weight' | 'bias' | 'bits'>,
): string {
  const { patchSize, dim } = config;
  const side = config.imageSize / patchSize;
  const tokens = side * side;
  const width = patchSize * patchSize * 3;
  const table = Int8Array.from({ length: 256 }, (_, value) => value - 128);
  const centered = builder.add({
    op: 'lookup',
    result: 'embed.centered',
    x: { value: PIXELS },
    table: builder.constant('embed.table', 'i8', [256], table),
  });
  // A gathered row is patchSize·3 bytes of one image line; a patch vector runs over ky, kx, color.
  const rows = new Int32Array(tokens * patchSize);
  for (let at = 0; at < rows.length; at += 1) {
    const patch = Math.floor(at / patchSize);
    const line = Math.floor(patch / side) * patchSize + (at % patchSize);
    rows[at] = line * side + (patch % side);
  }
  const patches = builder.add(
    {
      op: 'gather',
      result: 'embed.patches',
      x: { value: centered },
      rows: builder.constant('embed.rows', 'i32', [rows.length], rows),
      width: patchSize * 3,
    },
    [tokens, width],
  );
  return builder.add({
    op: 'linear',
    result: 'embed.sum',
    x: { value: patches },
    w: builder.constant('embed.weight', 'i8', [dim, width], embed.weight, embed.bits),
    b: builder.constant('embed.bias', 'i32', [dim], embed.bias),
  });
}

/** Pixels `[H,W,3]` to the residual stream `embed` i16 `[N,D]`. */
export function addEmbed(builder: ProgramBuilder, config: VitConfig, embed: RecipeEmbed): string {
  const { dim } = config;
  const sum = addPatches(builder, config, embed);
  const position = builder.constant('embed.position', 'i16', [patchCount(config), dim], embed.position);
  const bodies = addScaling(
    builder,
    prefixTokens(config) === 0 ? EMBED : 'embed.tokens',
    { value: sum },
    embed.scaling,
    { axis: 1, run: 1 },
    {
      operand: { constant: position },
      ...embed.positionRatio,
    },
  );
  const prefix = prefixTokens(config);
  if (prefix === 0) return bodies;
  const classRow = builder.constant('embed.class', 'i16', [prefix, dim], embed.classRow);
  return builder.add({ op: 'concat', result: EMBED, operands: [{ constant: classRow }, { value: bodies }] });
}

/** LayerNorm of the i16 stream `x [N,D]`, to i16 per channel (`NAME`), to int8 by row. */
export function addNorm(builder: ProgramBuilder, name: string, x: string, edge: RecipeEdge): RowQuantized {
  const norm = builder.add({ op: 'layernorm', result: `${name}.norm`, x: normInput(builder, name, x, edge) });
  addScaling(builder, name, { value: norm }, edge.scaling, { axis: 1, run: 1 });
  return addEdge(builder, name, edge);
}

/** Row quantization of the i16 value `name` (attention output `[N,H,d]`, norm `[N,D]` or GELU `[N,M]`). */
export function addEdge(builder: ProgramBuilder, name: string, edge: RecipeEdge): RowQuantized {
  const [rows = 1, ...inner] = builder.type(name).shape;
  const width = inner.reduce((product, size) => product * size, 1);
  const x = inner.length === 1 ? { value: name } : builder.reshape(name, [rows, width]);
  return addRowQuantize(builder, name, x, edge);
}

/** Adds the table of a block's softmax where it has one, under a name that blocks with an equal table share. */
export function addSoftmaxTable(builder: ProgramBuilder, { table, fractionBits }: RecipeLogits): string | undefined {
  return table && builder.constant(`softmax.table.${fractionBits}`, 'i32', [table.length], table);
}

/**
 * qkv and multi-head attention: row-quantized `x` to i16 `PREFIX.attention [N,H,d]`.
 *
 * @param table of {@link addSoftmaxTable}
 */
export function addAttention(
  builder: ProgramBuilder,
  config: VitConfig,
  prefix: string,
  x: RowQuantized,
  block: Pick<RecipeBlock, 'qkv' | 'logits' | 'attention'>,
  table?: string,
): string {
  const { dim, heads } = config;
  const width = dim / heads;
  const { log2 } = block.logits;
  const qkv = addRowLinear(builder, `${prefix}.qkv`, `${prefix}.qkv`, x, block.qkv, 'i8');
  const [n = 1, line = 1] = builder.type(qkv).shape;
  const part = (offset: number, transposed: boolean): Operand => ({
    value: qkv,
    view: transposed
      ? { offset, shape: [heads, width, n], strides: [width, 1, line] }
      : { offset, shape: [heads, n, width], strides: [width, line, 1] },
  });
  const name = `${prefix}.attention`;
  const products = builder.add({
    op: 'matmul',
    result: `${name}.products`,
    a: part(0, false),
    b: part(dim, true),
  });
  const logits = addScaling(builder, `${name}.logits`, { value: products }, block.logits.scaling, { axis: 0, run: 1 });
  const probabilities = builder.add({
    op: 'softmax',
    result: `${name}.probabilities`,
    x: { value: logits },
    exponential: table === undefined ? { pow2: block.logits.fractionBits } : { table },
    ...(log2 === undefined ? { bits: 16 } : { bits: 8, log2 }),
  });
  const sums = builder.add({
    op: 'matmul',
    result: `${name}.sums`,
    a: { value: probabilities },
    b: part(2 * dim, false),
    ...(log2 === undefined ? {} : { log2 }),
  });
  const byToken = builder.transpose(sums, [heads, n, width], [1, 0, 2]);
  return addScaling(builder, name, byToken, block.attention.scaling, { axis: 1, run: 2 });
}

/** Output projection and first residual addition: i16 `PREFIX.residual1 [N,D]`. */
export function addProjection(
  builder: ProgramBuilder,
  prefix: string,
  x: RowQuantized,
  residual: string,
  block: Pick<RecipeBlock, 'proj' | 'residual1'>,
): string {
  const addend = { operand: { value: residual }, ...block.residual1 };
  return addRowLinear(builder, `${prefix}.proj`, `${prefix}.residual1`, x, block.proj, 'i16', addend);
}

/** fc1 to i16 `PREFIX.fc1 [N,M]` in steps of 2^-7. */
export function addFc1(
  builder: ProgramBuilder,
  prefix: string,
  x: RowQuantized,
  block: Pick<RecipeBlock, 'fc1'>,
): string {
  return addRowLinear(builder, `${prefix}.fc1`, `${prefix}.fc1`, x, block.fc1, 'i16');
}

/** Adds the GELU table and returns its name; once per program. */
export function addGeluTable(builder: ProgramBuilder, table: Int16Array): string {
  return builder.constant(GELU_TABLE, 'i16', [table.length], table);
}

/** GELU by table on the i16 value `x [N,M]`, to i16 `PREFIX.gelu`, to int8 by row. */
export function addGelu(
  builder: ProgramBuilder,
  prefix: string,
  x: string,
  edge: RecipeEdge,
  table: string,
): RowQuantized {
  const name = `${prefix}.gelu`;
  const exact = builder.add({ op: 'ramplookup', result: `${name}.exact`, x: { value: x }, table, u: GELU_RAMP });
  addScaling(builder, name, { value: exact }, edge.scaling, { axis: 1, run: 1 });
  return addEdge(builder, name, edge);
}

/** fc2 and second residual addition: i16 `PREFIX.residual2 [N,D]`. */
export function addFc2(
  builder: ProgramBuilder,
  prefix: string,
  x: RowQuantized,
  residual: string,
  block: Pick<RecipeBlock, 'fc2' | 'residual2'>,
): string {
  const addend = { operand: { value: residual }, ...block.residual2 };
  return addRowLinear(builder, `${prefix}.fc2`, `${prefix}.residual2`, x, block.fc2, 'i16', addend);
}

/** i16 `NAME [D]` and its codes from the final norm's row `row` of `norm.norm [N,D]`. */
function addHeadRow(builder: ProgramBuilder, name: string, row: number, edge: RecipeEdge): RowQuantized {
  const dim = builder.type('norm.norm').shape.at(-1) ?? 1;
  const view = { offset: row * dim, shape: [dim], strides: [1] };
  addScaling(builder, name, { value: 'norm.norm', view }, edge.scaling, { axis: 0, run: 1 });
  return addRowQuantize(builder, name, { value: name }, edge);
}

/**
 * From the residual stream `x [N,D]` to what the classifiers read: i16 `norm [D]` and its codes; for a distilled model
 * `norm.distillation [D]` and its codes as well.
 */
export function addHeadNorm(
  builder: ProgramBuilder,
  config: VitConfig,
  x: string,
  head: { readonly norm: RecipeEdge; readonly distillation?: { readonly norm: RecipeEdge } },
): readonly RowQuantized[] {
  const { dim } = config;
  const readout = readoutOf(config);
  const input = normInput(builder, 'norm', x, head.norm);
  if (readout === 'class' || readout === 'distilled') {
    builder.add({ op: 'layernorm', result: 'norm.norm', x: input });
    const classRow = addHeadRow(builder, 'norm', 0, head.norm);
    if (head.distillation === undefined) return [classRow];
    return [classRow, addHeadRow(builder, 'norm.distillation', 1, head.distillation.norm)];
  }
  const shape = [patchCount(config), dim];
  const patches = { ...input, view: { offset: prefixTokens(config) * dim, shape, strides: [dim, 1] } };
  if (readout === 'mean-norm') {
    const pooled = builder.add({ op: 'mean', result: 'norm.pooled', x: patches, axis: 0 });
    const norm = builder.add({ op: 'layernorm', result: 'norm.norm', x: { value: pooled } });
    addScaling(builder, 'norm', { value: norm }, head.norm.scaling, { axis: 0, run: 1 });
  } else {
    const norm = builder.add({ op: 'layernorm', result: 'norm.norm', x: patches });
    const rows = addScaling(builder, 'norm.rows', { value: norm }, head.norm.scaling, { axis: 1, run: 1 });
    builder.add({ op: 'mean', result: 'norm', x: { value: rows }, axis: 0 });
  }
  return [addRowQuantize(builder, 'norm', { value: 'norm' }, head.norm)];
}

/**
 * Classifier: i32 `logits [classes]` in units of 2^-outputShift; for a distilled model the sum of two halves, each
 * rounded to that unit.
 *
 * @param inputs of {@link addHeadNorm}.
 */
export function addHead(builder: ProgramBuilder, inputs: readonly RowQuantized[], head: RecipeHead): string {
  const [classRow, distillationRow] = inputs;
  if (classRow === undefined) throw new RangeError('a classifier needs an input');
  if (distillationRow === undefined || head.distillation === undefined) {
    return addRowLinear(builder, 'head', LOGITS, classRow, head.linear, 'i32');
  }
  const half = addRowLinear(builder, 'head', 'head.class', classRow, head.linear, 'i32');
  const addend = { operand: { value: half }, m: 1, e: 0 };
  return addRowLinear(builder, 'head.distillation', LOGITS, distillationRow, head.distillation.linear, 'i32', addend);
}

/** What a program records besides its arithmetic. */
export interface RecipeDetails {
  readonly image?: InputDescription;
  readonly labels?: readonly string[];
  readonly provenance?: Provenance;
}

/**
 * The program of the recipes `ptq@1` and `accurate@1` from integers already decided: u8 `pixels [H,W,3]`
 * to i32 `logits [classes]` in units of 2^-outputShift.
 *
 * @param geluTable i16[577], last entry 0.
 * @throws IvitError `E_PROGRAM_…` when the integers break the overflow proof.
 */
export function buildRecipeVit(recipe: VitRecipe, geluTable: Int16Array, details: RecipeDetails = {}): Program {
  const { config } = recipe;
  const builder = createProgramBuilder(PIXELS, [config.imageSize, config.imageSize, 3]);
  const table = addGeluTable(builder, geluTable);
  // The table depends on the unit alone, within one model.
  const softmaxTables = new Map<number, string | undefined>();
  for (const { logits } of recipe.blocks) {
    if (!softmaxTables.has(logits.fractionBits)) {
      softmaxTables.set(logits.fractionBits, addSoftmaxTable(builder, logits));
    }
  }
  let stream = addEmbed(builder, config, recipe.embed);
  for (const [index, block] of recipe.blocks.entries()) {
    const prefix = blockPrefix(index);
    const ln1 = addNorm(builder, `${prefix}.norm1`, stream, block.norm1);
    const softmaxTable = softmaxTables.get(block.logits.fractionBits);
    const attention = addAttention(builder, config, prefix, ln1, block, softmaxTable);
    const mixed = addEdge(builder, attention, block.attention);
    const middle = addProjection(builder, prefix, mixed, stream, block);
    const ln2 = addNorm(builder, `${prefix}.norm2`, middle, block.norm2);
    const hidden = addFc1(builder, prefix, ln2, block);
    const active = addGelu(builder, prefix, hidden, block.gelu, table);
    stream = addFc2(builder, prefix, active, middle, block);
  }
  const output = addHead(builder, addHeadNorm(builder, config, stream, recipe.head), recipe.head);
  return builder.build({ output, outputShift: recipe.head.outputShift, ...details });
}
