/**
 * `pnpm plant [--recipe NAME]… [--seeds N] [--plants N] [--calibrate N] [--photos N]`: how much a recipe loses on weights with
 * massive activations. DeiT-Tiny of `../shared/models`, and the same with one hidden channel of as many blocks as plants made 100
 * times as large (its weights in fc2 as much smaller), channels drawn by seed: agreement and SQNR of each integer program
 * against its own float model, and the loss in points against the unplanted. The photos are those of `pnpm ablation`: the
 * report half without the calibration photos. Exit code 0, 1 (failed) or 2 (usage).
 */
import { parseArgs } from 'node:util';
import { IvitError } from '@ivit/program';
import { chooseCalibration, quantizeVit, type Recipe } from '@ivit/quantize';
import { MATERIALS, type Material } from './ablation/material.js';
import { measureProgram } from './ablation/run-step.js';
import type { Estimate } from './accuracy/metrics.js';
import { choosePlants, PLANT_FACTOR, plantVit } from './accuracy/plant.js';
import { createBackend } from './bench/backend.js';
import { hasShared } from './bench/places.js';

const USAGE =
  'usage: pnpm plant [--recipe ptq@1|accurate@1|accurate@2]… [--seeds N] [--plants N] [--calibrate N] [--photos N (evenly)]';
const MODEL = 'deit_tiny_patch16_224';
const RECIPES: readonly Recipe[] = ['ptq@1', 'accurate@1', 'accurate@2'];

interface Arguments {
  readonly recipes: readonly Recipe[];
  readonly seeds: number;
  readonly plants: number;
  readonly calibrate: number;
  readonly photos: number;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: {
      recipe: { type: 'string', multiple: true, default: ['ptq@1', 'accurate@1'] },
      seeds: { type: 'string', default: '2' },
      plants: { type: 'string', default: '3' },
      calibrate: { type: 'string', default: '32' },
      photos: { type: 'string', default: '1000' },
    },
  });
  const recipes = values.recipe.map((name) => RECIPES.find((recipe) => recipe === name));
  const numbers = [values.seeds, values.plants, values.calibrate, values.photos].map(Number);
  if (recipes.includes(undefined) || !numbers.every((number) => Number.isInteger(number) && number > 0)) {
    throw new IvitError('E_USAGE', USAGE);
  }
  const [seeds = 1, plants = 1, calibrate = 1, photos = 1] = numbers;
  return { recipes: recipes.filter((recipe) => recipe !== undefined), seeds, plants, calibrate, photos };
}

/** As many of the material's photos as asked for. */
function limited(material: Material, { calibrate, photos }: Arguments): Material {
  const names = new Set(
    chooseCalibration(
      material.calibration.map(({ name }) => name),
      calibrate,
    ),
  );
  const kept = new Set(
    chooseCalibration(
      material.photos.map(({ sha256 }) => sha256),
      photos,
    ),
  );
  return {
    ...material,
    calibration: material.calibration.filter(({ name }) => names.has(name)),
    photos: material.photos.filter(({ sha256 }) => kept.has(sha256)),
  };
}

const percent = ({ value, error }: Estimate): string => `${(100 * value).toFixed(2)} ± ${(100 * error).toFixed(2)} %`;
const decibels = ({ value, error }: Estimate): string => `${value.toFixed(2)} ± ${error.toFixed(2)} dB`;

async function main(): Promise<void> {
  const choice = readArguments();
  if (!hasShared()) {
    console.log('1 model skipped: ../shared is missing');
    return;
  }
  const whole = await MATERIALS[MODEL]?.();
  if (whole === undefined) throw new IvitError('E_PLANT', `There is no ${MODEL}`);
  const material = limited(whole, choice);
  const backend = await createBackend('cpu', 1);
  console.log(
    `${material.photos.length} photos, ${material.calibration.length} others calibrate; ${choice.plants} plants, × ${PLANT_FACTOR}`,
  );
  for (const recipe of choice.recipes) {
    const measured = async (weights: Material['weights']) => {
      const { program } = await quantizeVit({ weights, photos: material.calibration, backend, recipe });
      return measureProgram(backend, program, { ...material, weights });
    };
    const base = await measured(material.weights);
    console.log(`${recipe} unplanted: agreement ${percent(base.agreement)}, ${decibels(base.sqnr)}`);
    for (let seed = 1; seed <= choice.seeds; seed += 1) {
      const plants = choosePlants(material.weights, seed, choice.plants);
      const { agreement, sqnr } = await measured(plantVit(material.weights, plants));
      const loss = 100 * (base.agreement.value - agreement.value);
      const places = plants.map(({ block, channel }) => `${block}.${channel}`).join(' ');
      console.log(
        `${recipe} seed ${seed} (${places}): agreement ${percent(agreement)}, ${decibels(sqnr)}, loss ${loss.toFixed(2)} points`,
      );
    }
  }
}

try {
  await main();
} catch (error) {
  const usage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const code = IvitError.isInstance(error) ? error.code : usage ? 'E_USAGE' : 'E_PLANT';
  console.error(`${code}: ${error instanceof Error ? error.message : String(error)}${usage ? `\n${USAGE}` : ''}`);
  process.exitCode = code === 'E_USAGE' ? 2 : 1;
}
