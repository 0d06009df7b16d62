import type { Backend } from '@ivit/backend';
import { IvitError, opVersion } from '@ivit/program';
import { createExecutable } from './executable.js';

/** Every op of ivit/1 and ivit/1.1. */
const OPS: Readonly<Record<string, readonly number[]>> = {
  requantize: [1],
  rowscale: [1],
  rowquantize: [1],
  linear: [1],
  matmul: [1, 2],
  softmax: [1, 2],
  shiftgelu: [1],
  layernorm: [1],
  lookup: [1],
  ramplookup: [1],
  mean: [1],
  gather: [1],
  concat: [1],
};

/**
 * The slow truth: interprets a program op by op in plain TypeScript, one thread, no machine-specific code. It runs
 * wherever JavaScript does.
 */
export function createReferenceBackend(): Backend {
  return {
    specificationVersion: 1,
    name: 'reference',
    version: '1',
    ops: OPS,
    probe: async () => ({ available: true, device: 'JavaScript', threads: 1, features: [] }),
    compile: async (program, options = {}) => {
      for (const op of program.ops) {
        if (!Object.hasOwn(OPS, op.op) || !OPS[op.op]?.includes(opVersion(op))) {
          const name = `${op.op}' of version ${opVersion(op)}`;
          throw new IvitError('E_UNSUPPORTED_OP', `The reference backend has no op '${name}`, { where: op.result });
        }
      }
      return createExecutable(program, options);
    },
  };
}
