/**
 * Noise of the recipes on Swins that were never trained, since no trained one is at hand: SQNR of logits centered per photo, on
 * photos that nothing was calibrated on.
 *
 * `node --conditions=@ivit/source --import tsx tools/src/swin-noise.ts [NAME…]`
 */
import { createCpuBackend } from '@ivit/backend-cpu';
import { type SwinModelConfig, type SwinWeights, swinForward } from '@ivit/models';
import { type Program, validate } from '@ivit/program';
import { type CalibrationPhoto, type PtqSettings, quantizeSwin, type Recipe } from '@ivit/quantize';
import { powers } from './accuracy/metrics.js';
import { sharedPath } from './bench/places.js';
import { seededPhotos } from './determinism/seeded-vit.js';
import { seededSwinWeights } from './sizes/seeded-weights.js';
import { readTinySwin } from './sizes/tiny-swin.js';

interface Case {
  readonly weights: SwinWeights;
  readonly calibration: readonly CalibrationPhoto[];
  readonly fresh: readonly CalibrationPhoto[];
}

interface Variant {
  readonly recipe: Recipe;
  readonly changes?: Partial<PtqSettings>;
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  'ptq@1': { recipe: 'ptq@1' },
  'accurate@1': { recipe: 'accurate@1' },
  'accurate@2': { recipe: 'accurate@2' },
  'ptq@1, pooled row in int16': { recipe: 'ptq@1', changes: { wideTokens: true } },
  'ptq@1, rotation': { recipe: 'ptq@1', changes: { rotation: { stream: true, values: true, keys: false } } },
  'ptq@1, head room': { recipe: 'ptq@1', changes: { residualMargin: 1.5 } },
  'ptq@1, 32 slots': { recipe: 'ptq@1', changes: { slots: { norm: 0, attention: 0, gelu: 32 } } },
};

const backend = createCpuBackend({ threads: 1 });

/** The golden checkpoint on its own pictures. */
function tiny(): Case {
  const { weights, calibration } = readTinySwin(sharedPath('vectors/ivit/tiny_swin'));
  const photos = calibration.map((pixels, i) => ({ name: `${i}`, sha256: '0'.repeat(64), pixels }));
  return { weights, calibration: photos.slice(0, 24), fresh: photos.slice(24) };
}

function seeded(seed: number, sizes: Partial<SwinModelConfig> = {}): Case {
  const config: SwinModelConfig = {
    imageSize: 32,
    patchSize: 2,
    dim: 32,
    depths: [2, 2],
    heads: [2, 4],
    windowSize: 4,
    layerNormEps: 1e-5,
    classes: 100,
    ...sizes,
  };
  const weights = seededSwinWeights(config, seed);
  return {
    weights,
    calibration: seededPhotos(2, 24, config.imageSize),
    fresh: seededPhotos(77, 32, config.imageSize),
  };
}

const CASES: Readonly<Record<string, () => Case>> = {
  tiny_swin: tiny,
  'seed 1': () => seeded(1),
  'seed 2': () => seeded(2),
  'seed 3': () => seeded(3),
  'three stages': () =>
    seeded(4, { imageSize: 56, patchSize: 2, windowSize: 7, dim: 24, depths: [2, 2, 2], heads: [1, 2, 4] }),
};

async function noiseOf(program: Program, { weights, fresh }: Case): Promise<number> {
  const executable = await backend.compile(validate(program));
  let [signal, noise] = [0, 0];
  for (const { pixels } of fresh) {
    const output = (await executable.run(pixels, { batch: 1 }))[program.output];
    const integers = Array.from(output?.data ?? [], (value) => value / 2 ** program.outputShift);
    const one = powers(swinForward(weights, pixels), integers);
    signal += one.signal;
    noise += one.noise;
  }
  await executable.dispose();
  return 10 * Math.log10(signal / noise);
}

const wanted = process.argv.slice(2);
for (const [name, make] of Object.entries(CASES)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  const all = make();
  for (const [variant, options] of Object.entries(VARIANTS)) {
    const { program } = await quantizeSwin({ weights: all.weights, photos: all.calibration, backend, ...options });
    console.log(`${name}: ${variant}: ${(await noiseOf(program, all)).toFixed(2)} dB`);
  }
}
