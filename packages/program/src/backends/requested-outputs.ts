import { IvitError } from '../error.js';
import type { Program } from '../types.js';

/**
 * The values that an executable hands out: the program's output first, then those asked for besides, each once.
 *
 * @throws E_INPUT for a name that the program has not
 */
export function requestedOutputs(
  program: Pick<Program, 'output' | 'values'>,
  names: readonly string[] | undefined,
): readonly string[] {
  const outputs = [...new Set([program.output, ...(names ?? [])])];
  for (const name of outputs) {
    if (!Object.hasOwn(program.values, name)) {
      throw new IvitError('E_INPUT', `The program has no value '${name}'`, {
        where: 'outputs',
        hint: 'Ask for a value that the program lists.',
      });
    }
  }
  return outputs;
}
