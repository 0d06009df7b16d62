import type { Outputs } from '@ivit/backend';
import type { ValidatedProgram } from '@ivit/program';
import { expect } from 'vitest';
import { createWebgpuBackendWith } from '../backend.js';
import { type DevicePlan, type PlanChoice, planProgram } from '../plan/plan-program.js';
import { testDevice } from './device.js';

export interface ProgramRun {
  readonly outputs: Outputs;
  readonly plan: DevicePlan;
}

/** Runs a program on the test device under a plan of the given choice. */
export async function runProgram(
  program: ValidatedProgram,
  pixels: Uint8Array,
  batch: number,
  choice: PlanChoice,
  outputs: readonly string[] = [program.output],
): Promise<ProgramRun> {
  const plan = planProgram(program, [...new Set([program.output, ...outputs])], batch, choice);
  const backend = createWebgpuBackendWith({ device: await testDevice() }, () => plan);
  const executable = await backend.compile(program, { maxBatch: batch, outputs });
  try {
    return { outputs: await executable.run(pixels, { batch }), plan };
  } finally {
    await executable.dispose();
  }
}

/**
 * Runs the images of a batch and expects an interpreter's bits of every output.
 *
 * @param interpret the kit's exact one
 * @returns values with a dispatch of their own
 */
export async function expectExact(
  interpret: (program: ValidatedProgram, pixels: Uint8Array) => ReadonlyMap<string, ArrayLike<number>>,
  program: ValidatedProgram,
  pixels: Uint8Array,
  batch: number,
  choice: PlanChoice,
  outputs: readonly string[] = [program.output],
): Promise<readonly string[]> {
  const run = await runProgram(program, pixels, batch, choice, outputs);
  const size = pixels.length / batch; // float-ok: a multiple, in a test
  for (let image = 0; image < batch; image++) {
    const exact = interpret(program, pixels.subarray(image * size, (image + 1) * size));
    for (const name of outputs) {
      const want = Array.from(exact.get(name) ?? []);
      const got = Array.from(run.outputs[name]?.data ?? []).slice(image * want.length, (image + 1) * want.length);
      const at = want.findIndex((value, i) => value !== got[i]);
      const first = at < 0 ? 'equal' : `${name}[${at}] of image ${image} is ${got[at]}, expected ${want[at]}`;
      expect(first).toBe('equal');
      expect(got.length).toBe(want.length);
    }
  }
  return run.plan.dispatches.map((dispatch) => dispatch.result.value);
}
