import type { Engine } from './statistics.js';

/** One file on one engine. */
export interface VariantTask {
  readonly variant: string;
  readonly engine: Engine;
  /** Path (Node) or URL (browser). */
  readonly file: string;
}

/** What one process, or one page, measures: variants that take turns. */
export interface Task {
  readonly backend: 'cpu' | 'reference';
  readonly threads: number;
  readonly batch: number;
  readonly rounds: number;
  /** Recorded calls of a variant in each of its turns. */
  readonly calls: number;
  /** Module URLs of the peers. */
  readonly ortWeb: string;
  readonly ortNode: string;
  readonly variants: readonly VariantTask[];
}

export interface TaskResult {
  /** Milliseconds per call, by variant. */
  readonly runs: Readonly<Record<string, readonly number[]>>;
  /** What a variant says of itself. */
  readonly details: Readonly<Record<string, string>>;
  /** Name and version of the process. */
  readonly engine: string;
}

/** Something that can be called again and again. */
export interface Subject {
  readonly variant: string;
  readonly detail: string;
  call(): Promise<void>;
  dispose(): Promise<void>;
}

const PAUSE_MS = 15;

/**
 * Lets the subjects take turns, round after round, so that a busy machine slows all of them alike. Each turn begins
 * with a pause, in which the threads of the one before go to sleep, and a call that is not recorded.
 */
export async function takeTurns(
  subjects: readonly Subject[],
  rounds: number,
  calls: number,
): Promise<Record<string, number[]>> {
  const runs: Record<string, number[]> = Object.fromEntries(subjects.map(({ variant }) => [variant, []]));
  for (const subject of subjects) await subject.call();
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      await subject.call();
      for (let call = 0; call < calls; call += 1) {
        const started = performance.now();
        await subject.call();
        runs[subject.variant]?.push(performance.now() - started);
      }
    }
  }
  return runs;
}
