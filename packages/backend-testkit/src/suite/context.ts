import type { Backend } from '@ivit/backend';
import { type ValidatedProgram, validate } from '@ivit/program';
import { type Case, imageBytes, interpretedCase } from '../case.js';
import { check } from '../check.js';
import { createRandom } from '../random/random.js';
import { type Declared, restrictCase } from '../restrict.js';
import type { Target } from '../runner.js';
import { subjectProgram } from './subject.js';

export function declaredOps(backend: Backend): Declared {
  const keys = Object.entries(backend.ops).flatMap(([op, versions]) =>
    versions.map((version) => (version === 1 ? op : `${op}@${version}`)),
  );
  return new Set(keys);
}

/** What every test starts from: a fresh backend and what it declares. */
export async function fresh(target: Target): Promise<{ readonly backend: Backend; readonly declared: Declared }> {
  const backend = await target.create();
  return { backend, declared: declaredOps(backend) };
}

/** Noise for a number of images, from a seed. */
export function noise(program: ValidatedProgram, seed: number, batch: number): Uint8Array {
  return Uint8Array.from(createRandom(seed).list(imageBytes(program) * batch, 0, 255));
}

/** Images of the case that the tests of behavior run. */
export const SUBJECT_BATCH = 5;

/** A program of declared ops with several values, and five different images for it. */
export function subjectCase(declared: Declared): Case {
  const program = validate(subjectProgram(declared), { fragment: true });
  const one = interpretedCase('behavior', 'subject', program, noise(program, 4242, SUBJECT_BATCH), SUBJECT_BATCH);
  const kept = restrictCase(one, declared);
  check(kept !== undefined, 'the backend declares no op of ivit/1');
  return kept;
}

/** The subject with a backend of its own. */
export async function freshSubject(target: Target): Promise<{ readonly backend: Backend; readonly one: Case }> {
  const { backend, declared } = await fresh(target);
  return { backend, one: subjectCase(declared) };
}
