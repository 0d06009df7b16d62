import type { VitConfig } from '@ivit/models';
import { blockPrefix } from '@ivit/models';
import { IvitError } from '@ivit/program';
import type { Recipe } from './recipe.js';

/** Bits of weights: one number for the blocks' linear layers, or a number per layer, kind of layer, or `blocks`. */
export type WeightBits = number | Readonly<Record<string, number>>;

/** The linear layers of a block, in the order of the program. */
export const BLOCK_LAYERS = ['qkv', 'proj', 'fc1', 'fc2'] as const;
export type BlockLayer = (typeof BLOCK_LAYERS)[number];

/** Every layer with weights: `embed`, `blocks.N.qkv`, …, `head`. */
export function layersOf({ depth }: VitConfig): string[] {
  const blocks = Array.from({ length: depth }, (_, index) =>
    BLOCK_LAYERS.map((kind) => `${blockPrefix(index)}.${kind}`),
  );
  return ['embed', ...blocks.flat(), 'head'];
}

/** Names under which a layer's bits may be given, the most particular first. */
function namesOf(layer: string): string[] {
  const kind = layer.slice(layer.lastIndexOf('.') + 1);
  return layer.startsWith('blocks.') ? [layer, kind, 'blocks'] : [layer];
}

function refuse(message: string, hint: string): never {
  throw new IvitError('E_WEIGHT_BITS', message, { hint });
}

/**
 * Bits of every layer that does not keep 8. A number is for `blocks`: patch embedding and head keep 8 bits unless they are
 * named. The most particular name wins.
 *
 * @throws IvitError `E_WEIGHT_BITS` for names that no layer has and bits outside 2 … 8.
 */
export function resolveWeightBits(config: VitConfig, wanted: WeightBits | undefined): ReadonlyMap<string, number> {
  const given: Readonly<Record<string, number>> = typeof wanted === 'number' ? { blocks: wanted } : (wanted ?? {});
  const layers = layersOf(config);
  const known = new Set(layers.flatMap(namesOf));
  for (const [name, bits] of Object.entries(given)) {
    if (!known.has(name)) {
      refuse(
        `there is no layer '${name}'`,
        `Layers are embed, head, blocks, ${BLOCK_LAYERS.join(', ')} and ${layers[1]} and so on.`,
      );
    }
    if (!Number.isInteger(bits) || bits < 2 || bits > 8)
      refuse(`'${name}' has ${bits} bits`, 'Weights take 2 to 8 bits.');
  }
  const bits = new Map<string, number>();
  for (const layer of layers) {
    const name = namesOf(layer).find((candidate) => Object.hasOwn(given, candidate));
    const entry = name === undefined ? 8 : (given[name] as number);
    if (entry !== 8) bits.set(layer, entry);
  }
  return bits;
}

/**
 * What a recipe id records: `+weights=4` where all linear layers of the blocks have 4 bits and the others 8, `+weights=mixed`
 * otherwise (the file states each layer's), empty for 8 bits throughout.
 *
 * @throws IvitError `E_WEIGHT_BITS`
 */
export function weightBitsId(recipe: Recipe, config: VitConfig, bits: ReadonlyMap<string, number>): string {
  if (bits.size === 0) return '';
  if (recipe === 'paper@1') refuse('paper@1 has 8-bit weights', 'Give bits with accurate@1 or ptq@1.');
  const [first] = bits.values();
  const uniform = layersOf(config).every(
    (layer) => bits.get(layer) === (layer.startsWith('blocks.') ? first : undefined),
  );
  return `+weights=${uniform ? first : 'mixed'}`;
}
