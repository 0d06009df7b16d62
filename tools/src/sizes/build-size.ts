import { createCpuBackend } from '@ivit/backend-cpu';
import {
  buildRecipeSwin,
  buildRecipeVit,
  type FloatModel,
  type SwinModelConfig,
  swinHead,
  type VitConfig,
} from '@ivit/models';
import { geluRampTable } from '@ivit/nonlinear/convert';
import type { Program } from '@ivit/program';
import { quantizeModel } from '@ivit/quantize';
import { seededPhotos } from '../determinism/seeded-vit.js';
import type { SizeEntry } from './catalog.js';
import { randomVitRecipe } from './random-recipe.js';
import { randomSwinRecipe } from './random-swin-recipe.js';
import { seededSwinWeights, seededVitWeights } from './seeded-weights.js';

const SEED = 20261126;
/** Enough for the proof and for equality; accuracy is not what is measured. */
const CALIBRATION_PHOTOS = 2;

async function quantized(model: FloatModel): Promise<Program> {
  const photos = seededPhotos(SEED, CALIBRATION_PHOTOS, model.weights.config.imageSize);
  const { program } = await quantizeModel({
    model,
    photos,
    backend: createCpuBackend({ threads: 1 }),
    recipe: 'ptq@1',
  });
  return program;
}

/** The sizes of a Swin's end, which do not depend on its weights. */
function endOf(config: SwinModelConfig): VitConfig {
  const empty = { weight: { shape: [0], data: new Float32Array(0) }, bias: { shape: [0], data: new Float32Array(0) } };
  return swinHead({ config, norm: empty, head: empty }).config;
}

/** The entry's program, the same on every machine. */
export async function buildSize(entry: SizeEntry): Promise<Program> {
  if ('swin' in entry) {
    const { swin } = entry;
    if (entry.made === 'quantized') {
      return quantized({ architecture: 'swin', weights: seededSwinWeights(swin, SEED) });
    }
    const end = endOf(swin);
    return buildRecipeSwin(randomSwinRecipe(swin, end, SEED), end, geluRampTable());
  }
  if (entry.made === 'quantized') {
    return quantized({ architecture: 'vit', weights: seededVitWeights(entry.vit, SEED) });
  }
  return buildRecipeVit(randomVitRecipe(entry.vit, SEED), geluRampTable());
}
