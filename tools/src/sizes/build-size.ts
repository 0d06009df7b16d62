import { createCpuBackend } from '@ivit/backend-cpu';
import { buildRecipeVit, type VitConfig } from '@ivit/models';
import { geluRampTable } from '@ivit/nonlinear/convert';
import type { Program } from '@ivit/program';
import { quantizeVit } from '@ivit/quantize';
import { seededPhotos } from '../determinism/seeded-vit.js';
import type { SizeEntry } from './catalog.js';
import { randomVitRecipe } from './random-recipe.js';
import { seededVitWeights } from './seeded-weights.js';

const SEED = 20261126;
/** Enough for the proof and for equality; accuracy is not what is measured. */
const CALIBRATION_PHOTOS = 2;

async function quantized(config: VitConfig): Promise<Program> {
  const weights = seededVitWeights(config, SEED);
  const photos = seededPhotos(SEED, CALIBRATION_PHOTOS, config.imageSize);
  const { program } = await quantizeVit({ weights, photos, backend: createCpuBackend({ threads: 1 }) });
  return program;
}

/** The entry's program, the same on every machine. */
export async function buildSize(entry: SizeEntry): Promise<Program> {
  if (entry.made === 'quantized') return quantized(entry.vit);
  return buildRecipeVit(randomVitRecipe(entry.vit, SEED), geluRampTable());
}
