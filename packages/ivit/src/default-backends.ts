import type { Backend } from '@ivit/backend';
import type { OpName } from '@ivit/program';

export interface DefaultBackendOptions {
  /** Threads of the `cpu` backend. Default: its own choice. */
  readonly threads?: number;
}

/** What the reference backend declares: every op of ivit/1 and ivit/1.1. A test compares this and its version with its own. */
const REFERENCE_OPS: Readonly<Record<OpName, readonly number[]>> = {
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

/** The reference backend, loaded when it is first used: where another works it never is. */
function lazyReference(): Backend {
  let loading: Promise<Backend> | undefined;
  const load = (): Promise<Backend> => {
    loading ??= import('@ivit/backend-reference').then(({ createReferenceBackend }) => createReferenceBackend());
    return loading;
  };
  return {
    specificationVersion: 1,
    name: 'reference',
    version: '1',
    ops: REFERENCE_OPS,
    probe: async (options) => (await load()).probe(options),
    compile: async (program, options) => (await load()).compile(program, options),
  };
}

/** The backends of this package in order of preference: `cpu`, then `reference`. Each is loaded when first needed. */
export async function defaultBackends(options: DefaultBackendOptions = {}): Promise<readonly Backend[]> {
  const { createCpuBackend } = await import('@ivit/backend-cpu');
  return [createCpuBackend(options), lazyReference()];
}
