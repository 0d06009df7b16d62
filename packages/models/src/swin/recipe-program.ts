import { createProgramBuilder, type Program, type ProgramBuilder } from '@ivit/program';
import {
  addFc1,
  addFc2,
  addGelu,
  addGeluTable,
  addHiddenTable,
  addNorm,
  addProjection,
  addSoftmaxTable,
  hiddenTableName,
} from '../vit/recipe-block.js';
import { addPatches } from '../vit/recipe-embed.js';
import { addHead, addHeadNorm } from '../vit/recipe-head.js';
import { EMBED, PIXELS } from '../vit/recipe-names.js';
import { normInput } from '../vit/recipe-norm-input.js';
import { addRowLinear, addScaling } from '../vit/recipe-ops.js';
import type { RecipeDetails } from '../vit/recipe-program.js';
import type { RecipeEdge } from '../vit/recipe-types.js';
import { addRowQuantize, type RowQuantized } from '../vit/row-quantize.js';
import type { VitConfig } from '../vit/types.js';
import { type SwinBlockStep, type SwinMergingStep, swinBlockPrefix, swinSteps } from './order.js';
import { addShiftMask, addWindowAttention } from './recipe-attention.js';
import type { SwinRecipe, SwinRecipeBlock, SwinRecipeEmbed, SwinRecipeMerging } from './recipe-types.js';
import type { SwinModelConfig } from './types.js';

/** Prefix of the values of patch merging after a stage. */
export function swinMergingPrefix(stage: number): string {
  return `layers.${stage}.downsample`;
}

/** Projection of the patches, i16 `embed.projection [T,C]` at one unit, from pixels `[H,W,3]`. */
export function addSwinProjection(
  builder: ProgramBuilder,
  config: SwinModelConfig,
  embed: Pick<SwinRecipeEmbed, 'weight' | 'bias' | 'scaling'>,
): string {
  const sum = addPatches(builder, config, embed);
  return addScaling(builder, 'embed.projection', { value: sum }, embed.scaling, { axis: 1, run: 1 });
}

/** Norm of the embedding: i16 `embed [T,C]`, the residual stream. */
export function addSwinEmbedNorm(
  builder: ProgramBuilder,
  x: string,
  embed: Pick<SwinRecipeEmbed, 'norm' | 'factors'>,
): string {
  const norm = builder.add({ op: 'layernorm', result: `${EMBED}.norm`, x: normInput(builder, EMBED, x, embed) });
  return addScaling(builder, EMBED, { value: norm }, embed.norm, { axis: 1, run: 1 });
}

/** Rows of the stream `x [R,C]` in another order, i16 `result`, of the given shape. */
export function addMove(
  builder: ProgramBuilder,
  result: string,
  x: string,
  rows: string,
  shape: readonly number[],
): string {
  const width = builder.type(x).shape.at(-1) ?? 1;
  return builder.add({ op: 'gather', result, x: { value: x }, rows, width }, shape);
}

/** Norm and reduction of merged tokens: i16 `x [T/4,4C]` to i16 `PREFIX [T/4,2C]`. */
export function addMergingNorm(builder: ProgramBuilder, prefix: string, x: string, edge: RecipeEdge): RowQuantized {
  return addNorm(builder, `${prefix}.norm`, x, edge);
}

export function addReduction(
  builder: ProgramBuilder,
  prefix: string,
  x: RowQuantized,
  merging: Pick<SwinRecipeMerging, 'reduction'>,
): string {
  return addRowLinear(builder, `${prefix}.reduction`, prefix, x, merging.reduction, 'i16');
}

interface Writer {
  readonly builder: ProgramBuilder;
  readonly gelu: string;
  /** Index tables and masks that the program has, by what makes them. */
  readonly tables: Map<string, string>;
}

/** A table that several blocks of a stage share. */
function shared({ tables }: Writer, key: string, make: () => string): string {
  const known = tables.get(key);
  if (known !== undefined) return known;
  const made = make();
  tables.set(key, made);
  return made;
}

function writeBlock(writer: Writer, step: SwinBlockStep, block: SwinRecipeBlock, x: string): string {
  const { builder, gelu } = writer;
  const { geometry, stage, rows } = step;
  const { side, dim, shift } = geometry;
  const prefix = swinBlockPrefix(step);
  let stream = x;
  if (rows !== undefined) {
    // The first block comes from the grid, the others from each other's windows by turns.
    const move = step.block === 0 ? 'enter' : shift === 0 ? 'back' : 'shift';
    const name = `layers.${stage}.${move}`;
    const table = shared(writer, name, () => builder.constant(name, 'i32', [rows.length], rows));
    stream = addMove(builder, `${prefix}.input`, x, table, [side * side, dim]);
  }
  const mask = shift === 0 ? undefined : shared(writer, `mask ${stage}`, () => addShiftMask(builder, stage, geometry));
  const ln1 = addNorm(builder, `${prefix}.norm1`, stream, block.norm1);
  const { logits } = block;
  // The table depends on the unit alone, within one model.
  const exponential =
    logits.table && shared(writer, `softmax ${logits.fractionBits}`, () => addSoftmaxTable(builder, logits) ?? '');
  const attention = addWindowAttention(builder, geometry, prefix, ln1, block, mask, exponential);
  const joined = builder.reshape(attention, [side * side, dim]);
  const mixed = addRowQuantize(builder, attention, joined, block.attention);
  const middle = addProjection(builder, prefix, mixed, stream, block);
  const ln2 = addNorm(builder, `${prefix}.norm2`, middle, block.norm2);
  const hidden = addFc1(builder, prefix, ln2, block);
  const own = block.hidden;
  const table = own && shared(writer, hiddenTableName(own), () => addHiddenTable(builder, own));
  const active = addGelu(builder, prefix, hidden, block.gelu, table ?? gelu, own?.ramp);
  return addFc2(builder, prefix, active, middle, block);
}

function writeMerging({ builder }: Writer, step: SwinMergingStep, merging: SwinRecipeMerging, x: string): string {
  const { side, dim } = step.geometry;
  const prefix = swinMergingPrefix(step.stage);
  const rows = builder.constant(`${prefix}.rows`, 'i32', [step.rows.length], step.rows);
  const merged = addMove(builder, `${prefix}.input`, x, rows, [(side * side) / 4, 4 * dim]);
  return addReduction(builder, prefix, addMergingNorm(builder, prefix, merged, merging.norm), merging);
}

/**
 * The program of the recipes `ptq@1`, `accurate@1` and `accurate@2` for a Swin from integers already decided: u8 `pixels [H,W,3]` to i32 `logits [classes]`
 * in units of 2^-outputShift. Within a block tokens lie in the order of its windows.
 *
 * @param end Sizes of the head, as `swinHead` gives them.
 * @param geluTable i16[577], last entry 0.
 * @throws IvitError `E_PROGRAM_…` when the integers break the overflow proof; `E_MODEL_SHAPE`.
 */
export function buildRecipeSwin(
  recipe: SwinRecipe,
  end: VitConfig,
  geluTable: Int16Array,
  details: RecipeDetails = {},
): Program {
  const { config } = recipe;
  const builder = createProgramBuilder(PIXELS, [config.imageSize, config.imageSize, 3]);
  const writer: Writer = { builder, gelu: addGeluTable(builder, geluTable), tables: new Map() };
  let stream = addSwinEmbedNorm(builder, addSwinProjection(builder, config, recipe.embed), recipe.embed);
  for (const step of swinSteps(config)) {
    const stage = recipe.stages[step.stage];
    if (step.kind === 'merging') {
      if (stage?.merging === undefined) throw new RangeError(`there is no merging after stage ${step.stage}`);
      stream = writeMerging(writer, step, stage.merging, stream);
      continue;
    }
    const block = stage?.blocks[step.block];
    if (block === undefined) throw new RangeError(`stage ${step.stage} has no block ${step.block}`);
    stream = writeBlock(writer, step, block, stream);
  }
  const output = addHead(builder, addHeadNorm(builder, end, stream, recipe.head), recipe.head);
  return builder.build({ output, outputShift: recipe.head.outputShift, ...details });
}
