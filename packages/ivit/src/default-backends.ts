import type { Backend } from '@ivit/backend';
import { IvitError, OP_VERSIONS } from '@ivit/program';
import { version } from '../package.json';
import { hasNode } from './environment.js';

export interface DefaultBackendOptions {
  /** Threads of the `cpu` backend. Default: its own choice. */
  readonly threads?: number;
}

/** A backend that is loaded when it is first used: where one before it works it never is. */
function lazyBackend(name: string, ownVersion: string, create: () => Promise<Backend>): Backend {
  let loading: Promise<Backend> | undefined;
  const load = (): Promise<Backend> => {
    loading ??= create();
    return loading;
  };
  return {
    specificationVersion: 1,
    name,
    version: ownVersion,
    // What they declare themselves: a test compares it.
    ops: OP_VERSIONS,
    probe: async (options) => {
      try {
        return await (await load()).probe(options);
      } catch (error) {
        const code = IvitError.isInstance(error) ? error.code : 'E_BACKEND';
        return { available: false, code, reason: error instanceof Error ? error.message : String(error) };
      }
    },
    compile: async (program, options) => (await load()).compile(program, options),
  };
}

/** The platform's WebGPU, or in Node that of the package `webgpu` where it is installed. */
async function createWebgpu(): Promise<Backend> {
  const { createWebgpuBackend } = await import('@ivit/backend-webgpu');
  if (!hasNode()) return createWebgpuBackend();
  const gpu = await (await import('#node')).installedGpu();
  return createWebgpuBackend(gpu === undefined ? {} : { gpu });
}

/**
 * The backends of this package in order of preference: `cpu`, then `webgpu`, then `reference`. Each is loaded when first
 * needed. (`cpu` comes first because it is the faster one on every machine that was measured so far.)
 */
export async function defaultBackends(options: DefaultBackendOptions = {}): Promise<readonly Backend[]> {
  const { createCpuBackend } = await import('@ivit/backend-cpu');
  return [
    createCpuBackend(options),
    lazyBackend('webgpu', version, createWebgpu),
    lazyBackend('reference', '1', async () => (await import('@ivit/backend-reference')).createReferenceBackend()),
  ];
}
