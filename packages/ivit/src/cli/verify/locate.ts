import type { Outputs } from '@ivit/backend';
import type { ValidatedProgram } from '@ivit/program';
import type { Contestant } from './contestants.js';
import type { Mismatch } from './observe.js';

/** The first element in which a value differs. */
export interface Element {
  readonly value: string;
  /** In row-major order. */
  readonly index: number;
  /** The same by dimension. */
  readonly position: readonly number[];
  readonly expected: number;
  readonly got: number;
}

/** 7 in [2, 4] is [1, 3]. */
function positionOf(index: number, shape: readonly number[]): number[] {
  const position: number[] = [];
  let rest = index;
  for (const size of [...shape].reverse()) {
    position.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return position;
}

async function runKeeping(
  { backend }: Contestant,
  program: ValidatedProgram,
  outputs: readonly string[],
  pixels: Uint8Array,
  signal: AbortSignal,
): Promise<Outputs> {
  const executable = await backend.compile(program, { maxBatch: 1, outputs, signal });
  try {
    return await executable.run(pixels, { batch: 1, signal });
  } finally {
    await executable.dispose();
  }
}

/**
 * Runs both backends once more with the value kept (or, where no trace told which, with every value kept) and looks for the
 * first element that differs. Undefined if none does: then keeping the value changed what the backend does.
 */
export async function locateElement(
  program: ValidatedProgram,
  base: Contestant,
  other: Contestant,
  pixels: Uint8Array,
  mismatch: Mismatch,
  signal: AbortSignal,
): Promise<Element | undefined> {
  const order = mismatch.seen === 'trace' ? [mismatch.value] : program.ops.map(({ result }) => result);
  const expected = await runKeeping(base, program, order, pixels, signal);
  const got = await runKeeping(other, program, order, pixels, signal);
  for (const value of order) {
    const wanted = expected[value]?.data;
    const found = got[value]?.data;
    if (wanted === undefined || found === undefined) continue;
    const index = wanted.findIndex((entry, at) => entry !== found[at]);
    if (index < 0) continue;
    const shape = program.values[value]?.shape ?? [];
    return {
      value,
      index,
      position: positionOf(index, shape),
      expected: wanted[index] ?? Number.NaN,
      got: found[index] ?? Number.NaN,
    };
  }
  return undefined;
}
