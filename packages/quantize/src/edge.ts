import type { FloatNorm, FloatTensor, RecipeEdge, RecipeFactors, RecipeSplit, StaticScaling } from '@ivit/models';
import { IvitError } from '@ivit/program';
import { magnitude, roundHalfEven } from './numeric.js';
import { staticScaling, withZeroPoints } from './scaling.js';
import type { PtqSettings } from './settings.js';
import { chooseSlots, type SlotChoice, splitOf } from './slots.js';
import { spreadOf } from './spread.js';

/** Head room of the int16 step in front of a linear layer: 1.5 × the calibrated maximum. */
const MARGIN = 1.5;
const INT16_MAX = 32767;
/** Candidates of z, in order of preference among equals. */
export const SYMMETRIC_ZERO_POINTS: readonly number[] = [0, 16, -16, 32, -32];
const NO_ZERO_POINTS: readonly number[] = [0];
export const GELU_ZERO_POINTS: readonly number[] = [-120, -112, -104, -96, -64, 0];
/** |((x-μ)·(M//k))>>1| of `layernorm`, 1.02·2^30: √L·2^-30 units of the normalized value. */
export const LAYERNORM_BOUND = 1095216660;
export const TWO_TO_MINUS_30 = 9.313225746154785e-10;
/** A channel whose activations or weights are this small against the layer's largest has no say in its scale. */
const NEGLIGIBLE = 1e-6;
/** No channel's scale falls below this share of the largest. */
const MIGRATION_FLOOR = 1e-3;

/** How a linear layer's input is quantized. One unit of the i16 value is `step·migration[c]`. */
export interface EdgeChoice {
  readonly edge: RecipeEdge;
  readonly step: number;
  /** Per-channel factor folded into the next weights; absent = 1. */
  readonly migration?: Float64Array;
  /** What the int16 value leaves out, per channel: x = step·migration·q + rest. Absent = 0. */
  readonly rest?: Float64Array;
}

/** What decides an edge besides its values. */
export interface EdgeOptions {
  readonly settings: PtqSettings;
  /** How many the edge may spend. */
  readonly slots: number;
  /** Rows of every photo, from the first, that stay int16: they have no say in zero-point and slots. */
  readonly wideRows: number;
  readonly where: string;
}

/** Refuses a non-finite range with the site's name. */
export function checkFinite(value: number, where: string): void {
  if (Number.isFinite(value)) return;
  throw new IvitError('E_CALIBRATION_RANGE', 'the float model yields values that are not finite', {
    where,
    hint: 'Check the weights: they may hold NaN, infinities or magnitudes beyond float32.',
  });
}

/** Largest |x| per channel over `[rows,width]` tensors. */
export function channelMaxima(tensors: readonly Float32Array[], width: number): Float64Array {
  const maxima = new Float64Array(width);
  for (const x of tensors) {
    for (let row = 0; row < x.length; row += width) {
      for (let c = 0; c < width; c += 1) {
        const size = magnitude(x[row + c] as number);
        if (!(size <= (maxima[c] as number))) maxima[c] = size;
      }
    }
  }
  return maxima;
}

/**
 * Scale migration from a LayerNorm into the next linear layer (Xiao et al., "SmoothQuant", 2022, alpha 1/2):
 * t_c = √(max|x_c| / max_n|w_nc|), normalized to mean 1. Channels without activations or weights get 1.
 */
export function migrationOf(activations: Float64Array, weight: FloatTensor): Float64Array {
  const width = activations.length;
  const weights = new Float64Array(width);
  for (let i = 0; i < weight.data.length; i += 1) {
    const size = magnitude(weight.data[i] as number);
    if (size > (weights[i % width] as number)) weights[i % width] = size;
  }
  const floors = [activations, weights].map((maxima) => NEGLIGIBLE * maxima.reduce((a, b) => (a > b ? a : b), 0));
  const [activationFloor = 0, weightFloor = 0] = floors;
  const migration = new Float64Array(width);
  let sum = 0;
  let live = 0;
  for (let c = 0; c < width; c += 1) {
    const a = activations[c] as number;
    const w = weights[c] as number;
    if (!(a > activationFloor) || !(w > weightFloor)) continue;
    const t = Math.sqrt(a / w);
    migration[c] = t;
    sum += t;
    live += 1;
  }
  const mean = live > 0 ? sum / live : 1;
  let largest = 1;
  for (let c = 0; c < width; c += 1) {
    migration[c] = migration[c] === 0 ? 1 : (migration[c] as number) / mean;
    if ((migration[c] as number) > largest) largest = migration[c] as number;
  }
  const floor = MIGRATION_FLOOR * largest;
  for (let c = 0; c < width; c += 1) if ((migration[c] as number) < floor) migration[c] = floor;
  return migration;
}

/** Zero-point, int16 step and slots of an edge; `need` is the largest row scale, in units of the float values. */
interface StepChoice {
  readonly step: number;
  readonly zeroPoint: number;
  readonly split?: RecipeSplit;
  readonly need: number;
}

/**
 * Zero-point, int16 step and slots of an edge: z minimizes the mean squared row scale, the scale a row needs being
 * max(max x/(127-z), max(-x)/(128+z)) where no slot reaches further; the step is 1.5·max|x|/32767.
 */
export function chooseStep(
  tensors: readonly Float32Array[],
  width: number,
  zeroPoints: readonly number[],
  { slots, wideRows, where }: Omit<EdgeOptions, 'settings'>,
  migration?: Float64Array,
): StepChoice {
  const squares = new Float64Array(zeroPoints.length);
  const needs = new Float64Array(zeroPoints.length);
  let largest = 0;
  for (const x of tensors) {
    for (let row = 0; row < x.length; row += width) {
      let up = 0;
      let down = 0;
      for (let c = 0; c < width; c += 1) {
        const entry = x[row + c] as number;
        const scaled = migration === undefined ? entry : entry / (migration[c] as number);
        if (scaled > up) up = scaled;
        else if (scaled < -down) down = -scaled;
        else if (Number.isNaN(scaled)) largest = Number.NaN;
      }
      if (up > largest) largest = up;
      if (down > largest) largest = down;
      if (row < wideRows * width) continue;
      for (let i = 0; i < zeroPoints.length; i += 1) {
        const z = zeroPoints[i] as number;
        const need = Math.max(up / (127 - z), down / (128 + z));
        squares[i] = (squares[i] as number) + need * need;
        if (need > (needs[i] as number)) needs[i] = need;
      }
    }
  }
  checkFinite(largest, where);
  let best = 0;
  const shares = migration?.map((t) => 1 / t);
  const narrow = wideRows === 0 ? tensors : tensors.map((x) => x.subarray(wideRows * width));
  let spent: SlotChoice | undefined;
  for (let i = 0; i < zeroPoints.length; i += 1) {
    if (slots > 0) {
      const choice = chooseSlots(narrow, width, zeroPoints[i] as number, slots, shares);
      squares[i] = choice.squares;
      if (i === 0 || choice.squares < (squares[best] as number)) spent = choice;
    }
    if ((squares[i] as number) < (squares[best] as number)) best = i;
  }
  const split = spent === undefined ? undefined : splitOf(spent);
  const step = (MARGIN * largest) / INT16_MAX;
  const zeroPoint = zeroPoints[best] as number;
  return { step, zeroPoint, need: needs[best] as number, ...(split === undefined ? {} : { split }) };
}

/**
 * A LayerNorm in front of a linear layer: scale and migration into the requantization's multipliers, β rounded into
 * its zero-points, β's rest left to the next bias.
 *
 * @param factors of the norm's input; absent = the int16 stream itself.
 */
export function chooseNormEdge(
  norm: FloatNorm,
  nextWeight: FloatTensor | undefined,
  tensors: readonly Float32Array[],
  options: EdgeOptions,
  factors?: RecipeFactors,
): EdgeChoice {
  const { settings, where } = options;
  const gamma = norm.weight.data;
  const beta = norm.bias.data;
  const width = gamma.length;
  const migration =
    nextWeight === undefined || !settings.migration
      ? new Float64Array(width).fill(1)
      : migrationOf(channelMaxima(tensors, width), nextWeight);
  const choice = chooseStep(
    tensors,
    width,
    settings.zeroPoints ? SYMMETRIC_ZERO_POINTS : NO_ZERO_POINTS,
    options,
    migration,
  );
  // A norm that is (almost) constant over the photos still gets a step its gain can be expressed in.
  const root = Math.sqrt(width);
  let gain = 0;
  for (let c = 0; c < width; c += 1) {
    gain = Math.max(gain, (magnitude(gamma[c] as number) * root) / (migration[c] as number));
  }
  const step = Math.max(choice.step, gain / 1024 / INT16_MAX) || 1;
  const unit = root * TWO_TO_MINUS_30;
  const ratios = new Float64Array(width);
  const z = new Int32Array(width);
  const rest = new Float64Array(width);
  for (let c = 0; c < width; c += 1) {
    const channelStep = step * (migration[c] as number);
    ratios[c] = (unit * (gamma[c] as number)) / channelStep;
    const shift = roundHalfEven((beta[c] as number) / channelStep);
    checkFinite(shift, where);
    // Beyond twice the int16 range the value is clamped whatever the norm says.
    z[c] = Math.max(-65536, Math.min(65536, shift));
    rest[c] = (beta[c] as number) - channelStep * shift;
  }
  const scaling = withZeroPoints(staticScaling(ratios, LAYERNORM_BOUND, where), z);
  const edge = { ...edgeOf(scaling, choice, step, options), ...(factors === undefined ? {} : { factors }) };
  return { edge, step, migration, rest };
}

function edgeOf(
  scaling: StaticScaling,
  choice: StepChoice,
  step: number,
  { settings: { rows }, wideRows }: EdgeOptions,
): RecipeEdge {
  const { zeroPoint, split, need } = choice;
  // What a row would need to hold, above 0, to get the largest scale of all.
  const fixed = rows === 'tensor' ? { fixed: Math.min(INT16_MAX, Math.ceil(((127 - zeroPoint) * need) / step)) } : {};
  const wide = wideRows === 0 ? {} : { wideRows };
  return { scaling, zeroPoint, ...(split === undefined ? {} : { split }), ...fixed, ...wide };
}

/**
 * An edge whose input is an integer accumulator of known unit per channel (attention output, GELU).
 *
 * @param units real value of one accumulator unit, per channel or once.
 * @param bound largest |accumulator|.
 * @param nextWeight of the layer behind, where channels that stand out may move into it.
 */
export function choosePlainEdge(
  units: Float64Array,
  bound: number,
  tensors: readonly Float32Array[],
  width: number,
  zeroPoints: readonly number[],
  options: EdgeOptions,
  nextWeight?: FloatTensor,
): EdgeChoice {
  const { settings, where } = options;
  const candidates = settings.zeroPoints ? zeroPoints : NO_ZERO_POINTS;
  const migration = nextWeight && spreadOf(tensors, nextWeight);
  const choice = chooseStep(tensors, width, candidates, options, migration);
  let unit = 0;
  for (const entry of units) unit = Math.max(unit, entry);
  // Never finer than 1/16 of the accumulator's own unit: nothing below it exists.
  const step = Math.max(choice.step, unit / 16) || 1;
  if (migration === undefined) {
    const ratios = units.map((entry) => entry / step);
    return { edge: edgeOf(staticScaling(ratios, bound, where), choice, step, options), step };
  }
  const ratios = migration.map((t, c) => (units[units.length === 1 ? 0 : c] as number) / (step * t));
  return { edge: edgeOf(staticScaling(ratios, bound, where), choice, step, options), step, migration };
}
