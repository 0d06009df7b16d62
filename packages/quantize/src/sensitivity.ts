import { roundNarrow } from './gptq-narrow.js';
import { foldWeights, type RowLinearInput } from './linear.js';

/** Bits that a size budget chooses from, the most first. */
export const BUDGET_BITS: readonly number[] = [8, 7, 6, 5, 4];
/** Stands for the energy of an output that never varies: its noise is 0 as well, or matters very much. */
const NO_ENERGY = 1e-30;
/** Scales tried when the loss is measured: enough to compare layers, a third of the time. */
const MEASURED_SHARES: readonly number[] = [1, 0.8, 0.65];

/** What fewer bits in one layer would cost and save. */
export interface LayerSensitivity {
  readonly layer: string;
  /** Rows and columns of the weights. */
  readonly rows: number;
  readonly columns: number;
  /** Noise of the layer's output per entry of {@link BUDGET_BITS}, as a share of the output's energy. */
  readonly noise: readonly number[];
}

/** Mean over rows of Σ_c (x - mean_c)² of `[rows,width]` tensors. */
export function energyOf(tensors: readonly Float32Array[], width: number): number {
  const sums = new Float64Array(width);
  let squares = 0;
  let rows = 0;
  for (const x of tensors) {
    for (let i = 0; i < x.length; i += 1) {
      const entry = x[i] as number;
      sums[i % width] = (sums[i % width] as number) + entry;
      squares += entry * entry;
    }
    rows += x.length / width;
  }
  let means = 0;
  for (const sum of sums) means += (sum / rows) * (sum / rows);
  return squares / rows - means;
}

/** {@link energyOf} what a branch adds to the stream: `after - before`, per photo `[rows,width]`. */
export function addedEnergy(before: readonly Float32Array[], after: readonly Float32Array[], width: number): number {
  const added = after.map((x, photo) => x.map((entry, i) => entry - (before[photo]?.[i] as number)));
  return energyOf(added, width);
}

/**
 * Second-order cost of rounding one layer: tr(E·H·Eᵀ) of its GPTQ weights at each number of bits, H the second moments of its
 * quantized input over the calibration photos, which is the mean squared error of its output; as a share of the output's energy.
 *
 * @param energy {@link energyOf} the layer's float output.
 */
export function sensitivityOf(layer: string, input: RowLinearInput, energy: number): LayerSensitivity {
  const { step, moments, outputUnits } = input;
  const rows = outputUnits.length;
  const folded = foldWeights(input.weight, input.migration);
  const noise = BUDGET_BITS.map((bits) => {
    const { loss } = roundNarrow(folded, rows, moments, bits, bits === 8 ? [1] : MEASURED_SHARES);
    return (loss * step * step) / (moments.rows * Math.max(energy, NO_ENERGY));
  });
  return { layer, rows, columns: moments.size, noise };
}

/** Bytes of a layer's weights in the file. */
function bytesOf({ rows, columns }: LayerSensitivity, bits: number): number {
  return rows * Math.ceil((columns * bits) / 8);
}

/**
 * Greedy choice: of all layers, the one whose next fewer bits add the least noise per byte saved gives them up, until at least
 * `saving` bytes are saved.
 *
 * @returns bits of the layers below 8, or undefined where all layers at the fewest bits do not save enough.
 */
export function chooseBits(
  layers: readonly LayerSensitivity[],
  saving: number,
): ReadonlyMap<string, number> | undefined {
  const at = layers.map(() => 0);
  let left = saving;
  while (left > 0) {
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (const [i, layer] of layers.entries()) {
      const level = at[i] as number;
      const [now, next] = [BUDGET_BITS[level], BUDGET_BITS[level + 1]];
      if (now === undefined || next === undefined) continue;
      const added = (layer.noise[level + 1] as number) - (layer.noise[level] as number);
      const price = added / (bytesOf(layer, now) - bytesOf(layer, next));
      if (price < least) {
        least = price;
        best = i;
      }
    }
    const layer = layers[best];
    if (layer === undefined) return undefined;
    const level = at[best] as number;
    left -= bytesOf(layer, BUDGET_BITS[level] as number) - bytesOf(layer, BUDGET_BITS[level + 1] as number);
    at[best] = level + 1;
  }
  const chosen = layers.map(({ layer }, i) => [layer, BUDGET_BITS[at[i] as number] as number] as const);
  return new Map(chosen.filter(([, bits]) => bits !== 8));
}
