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
export async function logitQuality(
  backend: Backend,
  weights: VitWeights,
  program: Program,
  photos: readonly CalibrationPhoto[],
): Promise<number> {
  const integers = await integerLogits(backend, program, photos);
  let signal = 0;
  let noise = 0;
  for (const [index, photo] of photos.entries()) {
    const float = center(Array.from(vitForward(weights, photo.pixels)));
    const integer = center(integers[index] ?? []);
    for (const [i, value] of float.entries()) {
      signal += value * value;
      noise += (value - (integer[i] ?? 0)) ** 2;
    }
  }
  return 10 * Math.log10(signal / noise);
}

function center(logits: readonly number[]): number[] {
  const mean = logits.reduce((a, b) => a + b, 0) / logits.length;
  return logits.map((value) => value - mean);
}
