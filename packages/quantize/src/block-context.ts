import type { BlockActivations, FloatTensor, RecipeLinear, VitBlockWeights, VitConfig } from '@ivit/models';
import { SMALLEST_SCALE } from './attention.js';
import type { EdgeChoice, EdgeOptions } from './edge.js';
import { checkFinite } from './edge.js';
import type { EdgeStatistics } from './edge-statistics.js';
import { channelMeans, correctedLinear, type LayerMeans, plainLinear, type RowLinearInput } from './linear.js';
import type { NonlinearChoice } from './nonlinear-choice.js';
import { largestOf, maxMagnitude } from './numeric.js';
import { type LayerSensitivity, sensitivityOf } from './sensitivity.js';
import type { PtqSettings } from './settings.js';
import type { StageRunner } from './stage.js';
import type { EdgeReport } from './types.js';
import type { BlockLayer } from './weight-bits.js';

const INT16_MAX = 32767;

/** The residual streams of all photos between two blocks. */
export interface Streams {
  /** `[N,D]` each. */
  readonly floats: readonly Float32Array[];
  /** `[N,D]` each, in units of `unit`. */
  readonly integers: readonly Int16Array[];
  readonly unit: number;
}

/** What a run has decided before it looks at photos. */
export interface PartChoices {
  readonly settings: PtqSettings;
  readonly nonlinear: NonlinearChoice;
  /** Of the layers that do not have 8. */
  readonly weightBits: ReadonlyMap<string, number>;
  /** Measure what fewer bits would cost. */
  readonly measured: boolean;
}

/** What the stages of one block share. */
export interface BlockContext extends Omit<PartChoices, 'measured'> {
  readonly config: VitConfig;
  readonly float: VitBlockWeights;
  /** Of value names: `blocks.3`. */
  readonly prefix: string;
  /** Tokens with the class token. */
  readonly tokens: number;
  /** How many of them, from the first, reach linear layers as int16. */
  readonly wideRows: number;
  readonly streams: Streams;
  /** Float activations, one set per photo. */
  readonly buffers: readonly BlockActivations[];
  readonly geluTable: Int16Array;
  /** Collects what fewer bits would cost, where that is asked for. */
  readonly sensitivities: LayerSensitivity[] | undefined;
  readonly runner: StageRunner;
  /** Collects the report, in the order of the program. */
  readonly edges: EdgeReport[];
}

/** A row-quantized edge once its stage has run. */
export interface EdgeResult {
  readonly choice: EdgeChoice;
  readonly statistics: EdgeStatistics;
  /** int16 values per photo, from which the next stage starts. */
  readonly values: readonly Int16Array[];
}

/** One float activation of every photo. */
export function floatsOf(context: BlockContext, name: keyof BlockActivations): Float32Array[] {
  return context.buffers.map((activations) => activations[name]);
}

/** What an edge of this block is chosen by. */
export function edgeOptions(
  { settings, wideRows }: Pick<BlockContext, 'settings' | 'wideRows'>,
  slots: number,
  where: string,
): EdgeOptions {
  return { settings, slots, wideRows, where };
}

/** Means of a float tensor's channels over narrow and wide rows, less those of another tensor where one is given. */
export function layerMeans(
  { wideRows }: Pick<BlockContext, 'wideRows'>,
  tensors: readonly Float32Array[],
  width: number,
  less?: readonly Float32Array[],
): LayerMeans {
  const between = (from: number, to?: number): Float64Array => {
    const means = channelMeans(tensors, width, from, to);
    const others = less && channelMeans(less, width, from, to);
    return others === undefined ? means : means.map((mean, c) => mean - (others[c] as number));
  };
  const narrow = between(wideRows);
  return wideRows === 0 ? { narrow } : { narrow, wide: between(0, wideRows) };
}

/** One float activation of one photo. */
export function floatOf(context: BlockContext, name: keyof BlockActivations, photo: number): Float32Array {
  const activations = context.buffers[photo];
  if (activations === undefined) throw new RangeError(`there is no photo ${photo}`);
  return activations[name];
}

/** The photo's tensor; both run over the same photos. */
export function of(tensors: readonly Int16Array[], photo: number): Int16Array {
  const tensor = tensors[photo];
  if (tensor === undefined) throw new RangeError(`there is no photo ${photo}`);
  return tensor;
}

/** Unit of an int16 tensor that holds `margin` times the calibrated maximum exactly. */
export function int16Unit(tensors: readonly Float32Array[], where: string, margin = 1): number {
  const largest = largestOf(tensors.map((tensor) => maxMagnitude(tensor)));
  checkFinite(largest, where);
  return Math.max((margin * largest) / INT16_MAX, SMALLEST_SCALE);
}

/** What a linear layer's integers depend on besides its input. */
export type LinearContext = Pick<BlockContext, 'settings' | 'weightBits' | 'sensitivities'>;

/**
 * A linear layer with the bits it is given, its mean output corrected.
 *
 * @param layer see `weightBits`.
 * @param energy see `sensitivityOf`.
 */
export function decideLayer(
  { settings, weightBits, sensitivities }: LinearContext,
  layer: string,
  floatBias: FloatTensor,
  input: RowLinearInput,
  floatMeans: LayerMeans,
  energy: () => number,
): RecipeLinear {
  sensitivities?.push(sensitivityOf(layer, input, energy()));
  const { rounding, biasCorrection, paths } = settings;
  const decided = { ...input, bits: weightBits.get(layer), nearest: rounding === 'nearest', paths };
  return biasCorrection ? correctedLinear(decided, floatMeans) : plainLinear(decided, floatBias);
}

/** {@link decideLayer} of one of a block's layers. */
export function decideLinear(
  context: BlockContext,
  kind: BlockLayer,
  input: RowLinearInput,
  floatMeans: LayerMeans,
  energy: () => number,
): RecipeLinear {
  const { prefix, float } = context;
  return decideLayer(context, `${prefix}.${kind}`, float[kind].bias, input, floatMeans, energy);
}
