import type { Backend } from '@ivit/backend';
import { type VitWeights, vitForward } from '@ivit/models';
import { type Program, validate } from '@ivit/program';
import type { CalibrationPhoto } from '../types.js';

/** Integer logits of a program on one photo, as real numbers. */
export async function integerLogits(
  backend: Backend,
  program: Program,
  photos: readonly CalibrationPhoto[],
): Promise<number[][]> {
  const executable = await backend.compile(validate(program));
  const all: number[][] = [];
  for (const { pixels } of photos) {
    const outputs = await executable.run(pixels, { batch: 1 });
    all.push(Array.from(outputs[program.output]?.data ?? [], (value) => value / 2 ** program.outputShift));
  }
  return all;
}

/** Logits signal to noise in dB, logits centered per photo. */
export function logitQuality(
  backend: Backend,
  weights: VitWeights,
  program: Program,
  photos: readonly CalibrationPhoto[],
): Promise<number> {
  return qualityAgainst((pixels) => vitForward(weights, pixels), backend, program, photos);
}

/**
 * Logits signal to noise in dB against any float forward, logits centered per photo.
 *
 * @param apart Take off each class's mean over the photos too: what is left tells the photos apart.
 */
export async function qualityAgainst(
  forward: (pixels: Uint8Array) => ArrayLike<number>,
  backend: Backend,
  program: Program,
  photos: readonly CalibrationPhoto[],
  apart = false,
): Promise<number> {
  const integers = (await integerLogits(backend, program, photos)).map(center);
  const floats = photos.map(({ pixels }) => center(Array.from(forward(pixels))));
  if (apart) {
    for (const all of [integers, floats]) {
      const means = all[0]?.map((_, c) => all.reduce((sum, row) => sum + (row[c] ?? 0), 0) / all.length) ?? [];
      for (const row of all) for (const [c, mean] of means.entries()) row[c] = (row[c] ?? 0) - mean;
    }
  }
  let signal = 0;
  let noise = 0;
  for (const [index, float] of floats.entries()) {
    for (const [i, value] of float.entries()) {
      signal += value * value;
      noise += (value - (integers[index]?.[i] ?? 0)) ** 2;
    }
  }
  return 10 * Math.log10(signal / noise);
}

function center(logits: readonly number[]): number[] {
  const mean = logits.reduce((a, b) => a + b, 0) / logits.length;
  return logits.map((value) => value - mean);
}
