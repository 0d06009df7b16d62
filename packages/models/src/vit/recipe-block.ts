import type { Operand, ProgramBuilder } from '@ivit/program';
import { normInput } from './recipe-norm-input.js';
import { addEdge, addRowLinear, addScaling } from './recipe-ops.js';
import {
  GELU_RAMP,
  type RecipeBlock,
  type RecipeEdge,
  type RecipeHidden,
  type RecipeLogits,
  type StaticScaling,
} from './recipe-types.js';
import { type RowQuantized, wideName } from './row-quantize.js';
import type { VitConfig } from './types.js';

/** The even GELU table, shared by all blocks. */
const GELU_TABLE = 'gelu.table';

/** LayerNorm of the i16 stream `x [N,D]`, to i16 per channel (`NAME`), to int8 by row. */
export function addNorm(builder: ProgramBuilder, name: string, x: string, edge: RecipeEdge): RowQuantized {
  const norm = builder.add({ op: 'layernorm', result: `${name}.norm`, x: normInput(builder, name, x, edge) });
  addScaling(builder, name, { value: norm }, edge.scaling, { axis: 1, run: 1 });
  return addEdge(builder, name, edge);
}

/** Adds the table of a block's softmax where it has one, under a name that blocks with an equal table share. */
export function addSoftmaxTable(builder: ProgramBuilder, { table, fractionBits }: RecipeLogits): string | undefined {
  return table && builder.constant(`softmax.table.${fractionBits}`, 'i32', [table.length], table);
}

/**
 * qkv and multi-head attention: row-quantized `x` to i16 `PREFIX.attention [N,H,d]`. Where wide rows have fine queries, what
 * they attend to is `PREFIX.attention.wide [wideRows,H,d]`.
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
  const { heads } = config;
  const qkv = addRowLinear(builder, `${prefix}.qkv`, `${prefix}.qkv`, x, block.qkv, 'i8');
  const [n = 1] = builder.type(qkv).shape;
  const name = `${prefix}.attention`;
  if (block.qkv.fine !== undefined) addWideAttention(builder, config, prefix, block, table);
  const queries = headsOf(builder, qkv, heads, config.dim / heads, 0);
  return addQueries(builder, config, prefix, { name, queries, rows: n, scaling: block.logits.scaling }, block, table);
}

/** Columns `offset …` of `[rows,3D]` or `[rows,D]` head by head: `[H,rows,d]`, transposed `[H,d,rows]`. */
function headsOf(
  builder: ProgramBuilder,
  value: string,
  heads: number,
  width: number,
  offset: number,
  transposed = false,
): Operand {
  const [n = 1, line = 1] = builder.type(value).shape;
  return {
    value,
    view: transposed
      ? { offset, shape: [heads, width, n], strides: [width, 1, line] }
      : { offset, shape: [heads, n, width], strides: [width, line, 1] },
  };
}

/** Rows that attend: their queries `[H,rows,d]` and the scaling of their products with keys. */
interface Queries {
  /** Of the result. */
  readonly name: string;
  readonly queries: Operand;
  readonly rows: number;
  readonly scaling: StaticScaling;
}

/** Attention of some rows over all keys: i16 `NAME [rows,H,d]`. */
function addQueries(
  builder: ProgramBuilder,
  { dim, heads }: VitConfig,
  prefix: string,
  { name, queries, rows, scaling }: Queries,
  block: Pick<RecipeBlock, 'logits' | 'attention'>,
  table?: string,
): string {
  const width = dim / heads;
  const { log2, fractionBits } = block.logits;
  const qkv = `${prefix}.qkv`;
  const products = builder.add({
    op: 'matmul',
    result: `${name}.products`,
    a: queries,
    b: headsOf(builder, qkv, heads, width, dim, true),
  });
  const logits = addScaling(builder, `${name}.logits`, { value: products }, scaling, { axis: 0, run: 1 });
  const probabilities = builder.add({
    op: 'softmax',
    result: `${name}.probabilities`,
    x: { value: logits },
    exponential: table === undefined ? { pow2: fractionBits } : { table },
    ...(log2 === undefined ? { bits: 16 } : { bits: 8, log2 }),
  });
  const sums = builder.add({
    op: 'matmul',
    result: `${name}.sums`,
    a: { value: probabilities },
    b: headsOf(builder, qkv, heads, width, 2 * dim),
    ...(log2 === undefined ? {} : { log2 }),
  });
  const byToken = builder.transpose(sums, [heads, rows, width], [1, 0, 2]);
  return addScaling(builder, name, byToken, block.attention.scaling, { axis: 1, run: 2 });
}

/** The rows that stay int16 attend with int16 queries, from the sums that their other queries come from: `PREFIX.attention.wide`. */
function addWideAttention(
  builder: ProgramBuilder,
  config: VitConfig,
  prefix: string,
  block: Pick<RecipeBlock, 'qkv' | 'logits' | 'attention'>,
  table?: string,
): void {
  const { fine } = block.qkv;
  const { wide: scaling } = block.logits;
  if (fine === undefined || scaling === undefined) throw new RangeError(`${prefix} has no scaling for fine queries`);
  const { dim, heads } = config;
  const name = wideName(`${prefix}.attention`);
  const [, rows = 1, line = 1] = builder.type(`${prefix}.qkv.wide.sum`).shape;
  const sums = { value: `${prefix}.qkv.wide.sum`, view: { offset: 0, shape: [rows, dim], strides: [line, 1] } };
  const fineRows = addScaling(builder, `${name}.queries`, sums, fine, { axis: 1, run: 1 });
  const queries = headsOf(builder, fineRows, heads, dim / heads, 0);
  addQueries(builder, config, prefix, { name, queries, rows, scaling }, block, table);
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

/** fc1 to i16 `PREFIX.fc1 [N,M]`. */
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

/** Name of the table for a block whose fc1 comes out in coarser steps. */
export function hiddenTableName({ fractionBits }: RecipeHidden): string {
  return `${GELU_TABLE}.${fractionBits}`;
}

/** Adds that table; once per program and step. */
export function addHiddenTable(builder: ProgramBuilder, hidden: RecipeHidden): string {
  return builder.constant(hiddenTableName(hidden), 'i16', [hidden.table.length], hidden.table);
}

/** GELU by table on the i16 value `x [N,M]`, to i16 `PREFIX.gelu`, to int8 by row. */
export function addGelu(
  builder: ProgramBuilder,
  prefix: string,
  x: string,
  edge: RecipeEdge,
  table: string,
  ramp: number = GELU_RAMP,
): RowQuantized {
  const name = `${prefix}.gelu`;
  const exact = builder.add({ op: 'ramplookup', result: `${name}.exact`, x: { value: x }, table, u: ramp });
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
