import type { ProgramBuilder } from '@ivit/program';
import { EMBED, PIXELS } from './recipe-names.js';
import { addScaling } from './recipe-ops.js';
import type { RecipeEmbed } from './recipe-types.js';
import { patchCount, prefixTokens } from './tokens.js';
import type { VitConfig } from './types.js';

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
