/**
 * `dump-float OUT_DIR`: seeded Swin checkpoints under every naming, photos, and the logits of our float forward, for the
 * independent forward in tools/oracle/check_swin_float.py.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSwin, swinForward } from '@ivit/models';
import {
  huggingFaceSwin,
  newTimmSwin,
  ODD_SWIN,
  randomSwinTensors,
  SMALL_SWIN,
  swinConfig,
  swinFolder,
} from '../../packages/models/test/random-swin.js';
import { seededPhotos } from './determinism/seeded-vit.js';

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error('usage: dump-float OUT_DIR');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

const SHAPES = {
  small: SMALL_SWIN,
  odd: ODD_SWIN,
  deep: { ...SMALL_SWIN, imageSize: 56, depths: [2, 2, 2], heads: [1, 2, 4], windows: [7, 7, 7] },
};
const NAMINGS = {
  timm: (tensors: ReturnType<typeof randomSwinTensors>) => tensors,
  newTimm: newTimmSwin,
  huggingFace: huggingFaceSwin,
};

let count = 0;
for (const [shapeName, shape] of Object.entries(SHAPES)) {
  for (const [namingName, rename] of Object.entries(NAMINGS)) {
    count += 1;
    const model = swinFolder(rename(randomSwinTensors(shape, count)), swinConfig(shape));
    const weights = readSwin(model);
    const name = `swin-${shapeName}-${namingName}`;
    const cases = seededPhotos(count, 2, shape.imageSize).map(({ pixels }) => ({
      pixels: Buffer.from(pixels).toString('base64'),
      logits: [...swinForward(weights, pixels)],
    }));
    writeFileSync(join(folder, `${name}.safetensors`), model.files.get('model.safetensors') ?? new Uint8Array(0));
    const { mean, std } = weights.preprocess;
    const { imageSize, patch, depths, heads, windows } = shape;
    const description = { naming: namingName, imageSize, patch, depths, heads, windows, mean, std, eps: 1e-5, cases };
    writeFileSync(join(folder, `${name}.float.json`), `${JSON.stringify(description)}\n`);
  }
}
console.log(`${count} checkpoints and their logits written`);
