import {
  type SwinBlockGeometry,
  type SwinModelConfig,
  type SwinRecipe,
  type SwinRecipeBlock,
  swinStages,
  type VitConfig,
} from '@ivit/models';
import {
  createRandomIntegers,
  type RandomIntegers,
  randomEdge,
  randomLinear,
  randomScaling,
  WEIGHT_DEVIATION,
} from './random-integers.js';
import { EDGE, LOGIT, normRatio, OUTPUT_SHIFT, PIXEL_DEVIATION, randomBlock, STREAM } from './random-recipe.js';

/** -100 in units of 2^-8 of the log2 domain. */
const MASK_UNITS = -36933;

function randomSwinBlock(random: RandomIntegers, { dim, heads, window }: SwinBlockGeometry): SwinRecipeBlock {
  const keys = window * window;
  return {
    ...randomBlock(random, { dim, heads, mlpDim: 4 * dim }, keys),
    positionBias: random.int16(heads * keys * keys, 400),
    maskUnits: MASK_UNITS,
  };
}

/** Seeded integers for a Swin of any geometry, of the sizes that a quantized one has. */
export function randomSwinRecipe(config: SwinModelConfig, end: VitConfig, seed: number): SwinRecipe {
  const random = createRandomIntegers(seed);
  const { dim, patchSize, classes } = config;
  const width = patchSize * patchSize * 3;
  const stages = swinStages(config);
  const tokens = (end.imageSize / end.patchSize) ** 2;
  return {
    config,
    embed: {
      weight: random.weights(dim * width),
      bias: Int32Array.from(random.int16(dim, 8000)),
      scaling: randomScaling(random, EDGE / (PIXEL_DEVIATION * WEIGHT_DEVIATION * Math.sqrt(width)), dim, 20),
      norm: {
        ...randomScaling(random, (STREAM * Math.sqrt(dim)) / 2 ** 30, dim, 20, true),
        z: Int32Array.from(random.int16(dim, 300)),
      },
    },
    stages: stages.map((stage) => ({
      blocks: stage.blocks.map((block) => randomSwinBlock(random, block)),
      ...(stage.merges
        ? {
            merging: {
              norm: randomEdge(random, normRatio(4 * stage.dim), 4 * stage.dim, 20, 0, 400),
              reduction: randomLinear(random, 2 * stage.dim, 4 * stage.dim, 0, { input: EDGE, output: STREAM }),
            },
          }
        : {}),
    })),
    head: {
      norm: randomEdge(random, normRatio(end.dim), end.dim, 20, 0, 400),
      // The head reads the mean of the normalized rows.
      linear: randomLinear(random, classes, end.dim, 0, { input: (EDGE * 4) / Math.sqrt(tokens), output: LOGIT }),
      outputShift: OUTPUT_SHIFT,
    },
  };
}
