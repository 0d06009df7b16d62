import {
  blockPrefix,
  type SwinModelConfig,
  swinBlockPrefix,
  swinMergingPrefix,
  swinSteps,
  type VitConfig,
} from '@ivit/models';
import { IvitError } from '@ivit/program';
import type { Recipe } from './recipe.js';

/** Bits of weights: one number for the blocks' linear layers, or a number per layer, kind of layer, or `blocks`. */
export type WeightBits = number | Readonly<Record<string, number>>;

/** The linear layers of a block, in the order of the program. */
export const BLOCK_LAYERS = ['qkv', 'proj', 'fc1', 'fc2'] as const;
export type BlockLayer = (typeof BLOCK_LAYERS)[number];

/** The linear layers of one block. */
function blockLayers(prefix: string): string[] {
  return BLOCK_LAYERS.map((kind) => `${prefix}.${kind}`);
}

/** Every layer with weights: `embed`, `blocks.N.qkv`, …, `head`. */
export function vitLayers({ depth }: VitConfig): string[] {
  const blocks = Array.from({ length: depth }, (_, index) => blockLayers(blockPrefix(index)));
  return ['embed', ...blocks.flat(), 'head'];
}

/** Every layer with weights: `embed`, `layers.S.blocks.N.qkv`, …, `layers.S.downsample.reduction`, …, `head`. */
export function swinLayers(config: SwinModelConfig): string[] {
  const steps = swinSteps(config).map((step) =>
    step.kind === 'block' ? blockLayers(swinBlockPrefix(step)) : [`${swinMergingPrefix(step.stage)}.reduction`],
  );
  return ['embed', ...steps.flat(), 'head'];
}

function kindOf(layer: string): string {
  return layer.slice(layer.lastIndexOf('.') + 1);
}

function isBlockLayer(layer: string): boolean {
  return BLOCK_LAYERS.some((kind) => kind === kindOf(layer));
}

/** Names under which a layer's bits may be given, the most particular first. */
function namesOf(layer: string): string[] {
  const names = [...new Set([layer, kindOf(layer)])];
  return isBlockLayer(layer) ? [...names, 'blocks'] : names;
}

function refuse(message: string, hint: string): never {
  throw new IvitError('E_WEIGHT_BITS', message, { hint });
}

/**
 * Bits of every layer that does not keep 8. A number is for `blocks`: patch embedding, patch merging and head keep 8 bits unless
 * they are named. The most particular name wins.
 *
 * @param layers `vitLayers` or `swinLayers`.
 * @throws IvitError `E_WEIGHT_BITS` for names that no layer has and bits outside 2 … 8.
 */
export function resolveWeightBits(
  layers: readonly string[],
  wanted: WeightBits | undefined,
): ReadonlyMap<string, number> {
  const given: Readonly<Record<string, number>> = typeof wanted === 'number' ? { blocks: wanted } : (wanted ?? {});
  const known = new Set(layers.flatMap(namesOf));
  for (const [name, bits] of Object.entries(given)) {
    if (!known.has(name)) {
      refuse(
        `there is no layer '${name}'`,
        `Layers are ${[...known].filter((known) => !known.includes('.')).join(', ')}, and ${layers[1]} and so on.`,
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
export function weightBitsId(recipe: Recipe, layers: readonly string[], bits: ReadonlyMap<string, number>): string {
  if (bits.size === 0) return '';
  if (recipe === 'paper@1') refuse('paper@1 has 8-bit weights', 'Give bits with accurate@1 or ptq@1.');
  const [first] = bits.values();
  const uniform = layers.every((layer) => bits.get(layer) === (isBlockLayer(layer) ? first : undefined));
  return `+weights=${uniform ? first : 'mixed'}`;
}
