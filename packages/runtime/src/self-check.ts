import type { Backend, Executable } from '@ivit/backend';
import {
  IvitError,
  littleEndianBytes,
  type Program,
  selfCheckPixels,
  type ValidatedProgram,
  validate,
} from '@ivit/program';
import { sha256Hex } from './digest.js';

/** The int32 logits among an executable's outputs. */
export function logitsOf(program: ValidatedProgram, outputs: Awaited<ReturnType<Executable['run']>>): Int32Array {
  const data = outputs[program.output]?.data;
  if (data instanceof Int32Array) return data;
  throw new IvitError('E_BACKEND', 'The backend returned no int32 logits', { where: program.output });
}

/** sha256 (hex) of the logits that an executable gives for the generated pixels of a seed. */
async function checkDigest(
  program: ValidatedProgram,
  executable: Executable,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<string> {
  const pixels = selfCheckPixels(program, seed);
  const outputs = await executable.run(pixels, { batch: 1, ...(signal === undefined ? {} : { signal }) });
  return sha256Hex(littleEndianBytes(logitsOf(program, outputs)));
}

/**
 * The program with a self-check recorded by a backend that is trusted: that of `@ivit/backend-reference`.
 *
 * @param seed of the generated pixels, 0 … 2^32-1
 * @throws what `validate` and the backend throw; E_ABORTED
 */
export async function withSelfCheck(
  program: Program,
  backend: Backend,
  options: { readonly seed?: number; readonly signal?: AbortSignal } = {},
): Promise<Program> {
  const { seed = 1, signal } = options;
  const validated = validate(program);
  const executable = await backend.compile(validated, signal === undefined ? {} : { signal });
  try {
    return { ...program, selfCheck: { seed, sha256: await checkDigest(validated, executable, seed, signal) } };
  } finally {
    await executable.dispose();
  }
}

/**
 * Runs the program's self-check: generated pixels must give the recorded logits. Without it in the program: `absent`.
 * @throws E_SELF_CHECK if they do not: the device computes wrongly
 */
export async function runSelfCheck(
  program: ValidatedProgram,
  executable: Executable,
  signal: AbortSignal | undefined,
): Promise<'passed' | 'absent'> {
  const check = program.selfCheck;
  if (check === undefined) return 'absent';
  const digest = await checkDigest(program, executable, check.seed, signal);
  if (digest !== check.sha256) {
    throw new IvitError('E_SELF_CHECK', `The logits' sha256 is ${digest}, expected ${check.sha256}`, {
      where: `self-check, seed ${check.seed}`,
      hint: 'This device or its driver computes wrongly, or the file was damaged.',
    });
  }
  return 'passed';
}
