import { createProgramBuilder, type InputDescription, type Program, type Provenance } from '@ivit/program';
import {
  addAttention,
  addFc1,
  addFc2,
  addGelu,
  addGeluTable,
  addHiddenTable,
  addNorm,
  addProjection,
  addSoftmaxTable,
} from './recipe-block.js';
import { addEmbed } from './recipe-embed.js';
import { addHead, addHeadNorm } from './recipe-head.js';
import { blockPrefix, PIXELS } from './recipe-names.js';
import { addEdge } from './recipe-ops.js';
import type { VitRecipe } from './recipe-types.js';

/** What a program records besides its arithmetic. */
export interface RecipeDetails {
  readonly image?: InputDescription;
  readonly labels?: readonly string[];
  readonly provenance?: Provenance;
}

/**
 * The program of the recipes `ptq@1`, `accurate@1` and `accurate@2` from integers already decided: u8 `pixels [H,W,3]`
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
  const hiddenTables = new Map<number, string>();
  for (const { hidden } of recipe.blocks) {
    if (hidden !== undefined && !hiddenTables.has(hidden.fractionBits)) {
      hiddenTables.set(hidden.fractionBits, addHiddenTable(builder, hidden));
    }
  }
  let stream = addEmbed(builder, config, recipe.embed);
  for (const [index, block] of recipe.blocks.entries()) {
    const prefix = blockPrefix(index);
    const ln1 = addNorm(builder, `${prefix}.norm1`, stream, block.norm1);
    const softmaxTable = softmaxTables.get(block.logits.fractionBits);
    const attention = addAttention(builder, config, prefix, ln1, block, softmaxTable);
    const mixed = addEdge(builder, attention, block.attention, block.qkv.fine !== undefined);
    const middle = addProjection(builder, prefix, mixed, stream, block);
    const ln2 = addNorm(builder, `${prefix}.norm2`, middle, block.norm2);
    const hidden = addFc1(builder, prefix, ln2, block);
    const own = block.hidden && hiddenTables.get(block.hidden.fractionBits);
    const active = addGelu(builder, prefix, hidden, block.gelu, own ?? table, block.hidden?.ramp);
    stream = addFc2(builder, prefix, active, middle, block);
  }
  const output = addHead(builder, addHeadNorm(builder, config, stream, recipe.head), recipe.head);
  return builder.build({ output, outputShift: recipe.head.outputShift, ...details });
}
