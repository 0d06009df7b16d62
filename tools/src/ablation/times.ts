import { readFileSync } from 'node:fs';
import type { Backend, Executable } from '@ivit/backend';
import { readProgram } from '@ivit/formats/program';
import { validate } from '@ivit/program';
import { median } from '../bench/statistics.js';

/** Time of one call, and against the base in the same rounds. */
export interface Time {
  readonly minMilliseconds: number;
  readonly medianMilliseconds: number;
  /** Median over rounds of this program's time over the base's in that round. */
  readonly overBase: number;
}

/**
 * Runs the programs in turn, round by round, so that a load that comes and goes meets all of them.
 *
 * @param base index of the program that the others are compared with.
 */
export async function timePrograms(
  backend: Backend,
  files: readonly string[],
  pixels: Uint8Array,
  base: number,
  rounds: number,
): Promise<Time[]> {
  const executables: Executable[] = [];
  const times = files.map((): number[] => []);
  try {
    for (const file of files) {
      executables.push(
        await backend.compile(validate(readProgram(readFileSync(file), { where: file })), { maxBatch: 1 }),
      );
    }
    for (let round = -2; round < rounds; round += 1) {
      for (let turn = 0; turn < executables.length; turn += 1) {
        const index = round % 2 === 0 ? turn : executables.length - 1 - turn;
        const started = performance.now();
        await executables[index]?.run(pixels, { batch: 1 });
        if (round >= 0) times[index]?.push(performance.now() - started);
      }
    }
  } finally {
    for (const executable of executables) await executable.dispose();
  }
  return times.map((calls) => ({
    minMilliseconds: Math.min(...calls),
    medianMilliseconds: median(calls),
    overBase: median(calls.map((time, round) => time / (times[base]?.[round] ?? Number.NaN))),
  }));
}
