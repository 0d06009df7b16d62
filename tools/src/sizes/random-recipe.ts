import { patchCount, prefixTokens, readoutOf, tokenCount, type VitConfig, type VitRecipe } from '@ivit/models';
import {
  createRandomIntegers,
  type RandomIntegers,
  randomEdge,
  randomLinear,
  randomScaling,
  WEIGHT_DEVIATION,
} from './random-integers.js';

/** Standard deviation of int16 values in front of linear layers. */
export const EDGE = 4000;
/** Of what each half of a block adds to the residual stream, and of the stream at its start. */
export const STEP = 800;
export const STREAM = 3000;
/** Standard deviation of pixels minus 128, about. */
export const PIXEL_DEVIATION = 70;
/** Of q, k and v. */
const HEAD_CODES = 32;
/** Logits come in units of 2^-OUTPUT_SHIFT. */
export const OUTPUT_SHIFT = 12;
/** Of the logits, in those units. */
export const LOGIT = 2 * 2 ** OUTPUT_SHIFT;
/** The rescaled norm has the unit √L·2^-30. */
export function normRatio(width: number): number {
  return (EDGE * Math.sqrt(width)) / 2 ** 30;
}

/** @param keys tokens that attention averages. */
export function randomBlock(
  random: RandomIntegers,
  config: Pick<VitConfig, 'dim' | 'heads' | 'mlpDim'>,
  keys: number,
): VitRecipe['blocks'][number] {
  const { dim, heads, mlpDim } = config;
  const width = dim / heads;
  const edge = { input: EDGE };
  // A row of probabilities sums to 2^15; over n tokens the values they average shrink by about √n/2.
  const mixed = (HEAD_CODES * 32768 * 2) / Math.sqrt(keys);
  return {
    norm1: randomEdge(random, normRatio(dim), dim, 20, 0, 400),
    qkv: randomLinear(random, 3 * dim, dim, 0, { ...edge, output: HEAD_CODES }),
    logits: {
      scaling: randomScaling(random, 400 / (HEAD_CODES * HEAD_CODES * Math.sqrt(width)), heads, 24),
      fractionBits: 8,
    },
    attention: randomEdge(random, EDGE / mixed, dim, 20, 16),
    proj: randomLinear(random, dim, dim, 16, { ...edge, output: STEP }),
    residual1: { m: 1, e: 0 },
    norm2: randomEdge(random, normRatio(dim), dim, 20, -16, 400),
    fc1: randomLinear(random, mlpDim, dim, -16, { ...edge, output: 128 }),
    // GELU of a normal number is of about 0.6 its size, in units of 2^-12 here.
    gelu: randomEdge(random, EDGE / (0.6 * 4096), 1, 20, -112),
    fc2: randomLinear(random, dim, mlpDim, -112, { ...edge, output: STEP }),
    residual2: { m: 1, e: 0 },
  };
}

/** Seeded integers for a ViT of any geometry, of the sizes that a quantized one has: nothing saturates throughout. */
export function randomVitRecipe(config: VitConfig, seed: number): VitRecipe {
  const random = createRandomIntegers(seed);
  const { dim, classes, patchSize } = config;
  const width = patchSize * patchSize * 3;
  const distilled = readoutOf(config) === 'distilled';
  // The mean of independent rows is smaller; of the norm's rows it is what the head reads.
  const shrink = readoutOf(config) === 'norm-mean' ? Math.sqrt(patchCount(config)) / 4 : 1;
  const headOf = (): { norm: VitRecipe['head']['norm']; linear: VitRecipe['head']['linear'] } => ({
    norm: randomEdge(random, normRatio(dim), dim, 20, 0, 400),
    linear: randomLinear(random, classes, dim, 0, { input: EDGE / shrink, output: distilled ? LOGIT / 2 : LOGIT }),
  });
  return {
    config,
    embed: {
      weight: random.weights(dim * width),
      bias: Int32Array.from(random.int16(dim, 8000)),
      scaling: randomScaling(random, STREAM / (PIXEL_DEVIATION * WEIGHT_DEVIATION * Math.sqrt(width)), dim, 20),
      position: random.int16(patchCount(config) * dim, 8000),
      positionRatio: { m: 1, e: 3 },
      classRow: random.int16(prefixTokens(config) * dim, STREAM),
    },
    blocks: Array.from({ length: config.depth }, () => randomBlock(random, config, tokenCount(config))),
    head: { ...headOf(), ...(distilled ? { distillation: headOf() } : {}), outputShift: OUTPUT_SHIFT },
  };
}
