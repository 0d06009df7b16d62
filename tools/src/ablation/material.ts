import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage, preprocess } from '@ivit/image';
import { readVit, type VitWeights } from '@ivit/models';
import { type CalibrationPhoto, chooseCalibration } from '@ivit/quantize';
import { readModelFolder } from '../accuracy/model-folder.js';
import { collectPhotos, readClasses } from '../accuracy/photos.js';
import { sharedPath } from '../bench/places.js';
import { readStoredZip } from './stored-zip.js';

/** A photo to measure on. */
export interface TestPhoto {
  /** sha256 (hex) of the file. */
  readonly sha256: string;
  readonly label: number;
  readonly pixels: Uint8Array;
}

/** A model with the photos it is calibrated with and, apart from them, measured on. */
export interface Material {
  readonly name: string;
  readonly weights: VitWeights;
  readonly calibration: readonly CalibrationPhoto[];
  readonly photos: readonly TestPhoto[];
  /** What the photos are, for the report. */
  readonly about: string;
}

const CALIBRATION = 32;
const CIFAR_TEST = 1000;

const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function pixelsOf(
  { config, preprocess: rule }: VitWeights,
  bytes: Uint8Array,
  where: string,
): Promise<Uint8Array> {
  const crop = { height: config.imageSize, width: config.imageSize };
  return preprocess(await decodeImage(bytes, { where }), { ...rule, crop });
}

async function deitTiny(): Promise<Material> {
  const weights = readVit(readModelFolder(sharedPath('models/deit_tiny_patch16_224')));
  const folder = sharedPath('images/imagenet');
  const calibration: CalibrationPhoto[] = [];
  for (const name of chooseCalibration(readdirSync(folder), CALIBRATION)) {
    const bytes = readFileSync(join(folder, name));
    calibration.push({ name, sha256: sha(bytes), pixels: await pixelsOf(weights, bytes, name) });
  }
  const classes = readClasses(sharedPath('models/imagenet1k-classes.json'));
  const used = calibration.map((photo) => photo.sha256);
  const photos: TestPhoto[] = [];
  for (const { path, sha256, label } of collectPhotos(folder, classes, used, 'report').photos) {
    photos.push({ sha256, label, pixels: await pixelsOf(weights, readFileSync(path), path) });
  }
  const about = `${photos.length} photos of the report half, none of the ${calibration.length} of calibration`;
  return { name: 'deit_tiny_patch16_224', weights, calibration, photos, about };
}

async function cifarSmall(): Promise<Material> {
  const weights = readVit(readModelFolder(sharedPath('models/cifar10_vit_small')));
  const entries = readStoredZip(readFileSync(sharedPath('images/cifar10-jpeg.zip')));
  const evenly = (folder: string, count: number): string[] =>
    chooseCalibration(
      [...entries.keys()].filter((name) => name.startsWith(folder)),
      count,
    );
  const calibration: CalibrationPhoto[] = [];
  for (const name of evenly('train/', CALIBRATION)) {
    const bytes = entries.get(name) ?? new Uint8Array();
    calibration.push({ name, sha256: sha(bytes), pixels: await pixelsOf(weights, bytes, name) });
  }
  const photos: TestPhoto[] = [];
  for (const name of evenly('test/', CIFAR_TEST)) {
    const bytes = entries.get(name) ?? new Uint8Array();
    const label = weights.labels.indexOf(name.split('/')[1] ?? '');
    photos.push({ sha256: sha(bytes), label, pixels: await pixelsOf(weights, bytes, name) });
  }
  const about = `${photos.length} images of the test set, calibrated on ${calibration.length} of the training set`;
  return { name: 'cifar10_vit_small', weights, calibration, photos, about };
}

/** The models of `../shared/models` that the ablation runs over. */
export const MATERIALS: Readonly<Record<string, () => Promise<Material>>> = {
  deit_tiny_patch16_224: deitTiny,
  cifar10_vit_small: cifarSmall,
};
