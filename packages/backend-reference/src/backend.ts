import type { Backend } from '@ivit/backend';
import { OP_VERSIONS } from '@ivit/program';
import { createExecutable } from './executable.js';

/**
 * The slow truth: interprets a program op by op in plain TypeScript, one thread, no machine-specific code. It runs
 * wherever JavaScript does.
 */
export function createReferenceBackend(): Backend {
  return {
    specificationVersion: 1,
    name: 'reference',
    version: '1',
    ops: OP_VERSIONS,
    probe: async () => ({ available: true, device: 'JavaScript', threads: 1, features: [] }),
    compile: async (program, options = {}) => createExecutable(program, options),
  };
}
