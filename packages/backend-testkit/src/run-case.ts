import type { Backend, CompileOptions, Executable } from '@ivit/backend';
import type { ValidatedProgram } from '@ivit/program';
import { type Case, imageOf } from './case.js';
import { fail } from './check.js';
import { difference } from './compare.js';

/** Compiles, lends the executable, disposes of it whatever happens. */
export async function withExecutable<T>(
  backend: Backend,
  program: ValidatedProgram,
  options: CompileOptions,
  use: (executable: Executable) => Promise<T>,
): Promise<T> {
  const executable = await backend.compile(program, options);
  try {
    return await use(executable);
  } finally {
    await executable.dispose();
  }
}

/** Every value an op makes, in op order. */
export function results(program: ValidatedProgram): readonly string[] {
  return program.ops.map((op) => op.result);
}

/**
 * Runs a case in the ways that must not matter: with every value kept, and with the output alone, so that the backend may
 * fuse; all images at once, and the last one by itself.
 *
 * @returns the first difference, in words, or undefined
 */
export async function runCase(backend: Backend, one: Case): Promise<string | undefined> {
  const { program, batch, pixels } = one;
  const all = results(program);
  const kept = await withExecutable(backend, program, { maxBatch: batch, outputs: all }, async (executable) => {
    return difference(one, all, await executable.run(pixels, { batch }), 'every value kept');
  });
  if (kept !== undefined) return kept;
  return withExecutable(backend, program, { maxBatch: batch }, async (executable) => {
    const only = [program.output];
    const together = difference(one, only, await executable.run(pixels, { batch }), 'output alone');
    if (together !== undefined || batch === 1) return together;
    const outputs = await executable.run(imageOf(one, batch - 1), { batch: 1 });
    return difference(one, only, outputs, 'output alone, last image by itself', batch - 1, 1);
  });
}

/** Failures shown of one group; the rest is counted. */
const SHOWN = 3;

/** Runs cases one after the other and fails with the first differences of all. */
export async function runCases(backend: Backend, cases: readonly Case[]): Promise<void> {
  const failures: string[] = [];
  for (const one of cases) {
    let failure: string | undefined;
    try {
      failure = await runCase(backend, one);
    } catch (error) {
      failure = `${one.subject} ${one.id}: ${error instanceof Error ? error.message : String(error)}`;
    }
    if (failure !== undefined) failures.push(failure);
  }
  if (failures.length === 0) return;
  const more = failures.length > SHOWN ? `\n… and ${failures.length - SHOWN} more` : '';
  fail(`${failures.length} of ${cases.length} differ\n${failures.slice(0, SHOWN).join('\n')}${more}`);
}
