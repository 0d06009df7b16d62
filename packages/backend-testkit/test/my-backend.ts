import type { Backend, CompileOptions, Executable, Outputs, OutputTensor, RunOptions } from '@ivit/backend';
import { CASE_OPS, interpret } from '@ivit/backend-testkit';
import { IvitError, littleEndianBytes, opVersion, type ValidatedProgram } from '@ivit/program';
import { elementCount, makeArray } from '@ivit/tensor';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';

function compile(ops: ReadonlySet<string>, program: ValidatedProgram, options: CompileOptions): Executable {
  for (const op of program.ops) {
    const name = opVersion(op) === 1 ? op.op : `${op.op}@2`;
    if (!ops.has(name)) throw new IvitError('E_UNSUPPORTED_OP', `no op '${name}'`);
  }
  if (options.signal?.aborted) throw new IvitError('E_ABORTED', 'aborted');
  const maxBatch = options.maxBatch ?? 1;
  if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) throw new IvitError('E_INPUT', 'no batch');
  const names = [...new Set([...(options.outputs ?? []), program.output])];
  if (names.some((name) => !Object.hasOwn(program.values, name))) throw new IvitError('E_INPUT', 'no such value');
  const bytes = program.facts.constantBytes + program.facts.valueBytes;
  if (bytes > (options.memoryLimit ?? bytes)) throw new IvitError('E_MEMORY', 'too small');
  const shapeOf = (name: string): readonly number[] => program.values[name]?.shape ?? [];
  const size = elementCount(shapeOf(program.input));
  let disposed = false;
  let queue: Promise<unknown> = Promise.resolve();

  function admit(pixels: Uint8Array, batch: number): void {
    if (disposed) throw new IvitError('E_DISPOSED', 'disposed');
    const fits = Number.isSafeInteger(batch) && batch >= 1 && batch <= maxBatch && pixels.length === batch * size;
    if (!fits) throw new IvitError('E_INPUT', 'wrong pixels');
  }

  function runNow(pixels: Uint8Array, { batch, signal }: RunOptions): Outputs {
    if (signal?.aborted) throw new IvitError('E_ABORTED', 'aborted');
    const outputs: Record<string, OutputTensor> = {};
    for (const name of names) {
      const dtype = program.values[name]?.dtype ?? 'i32';
      outputs[name] = {
        dtype,
        shape: [batch, ...shapeOf(name)],
        data: makeArray(dtype, batch * elementCount(shapeOf(name))),
      };
    }
    for (let image = 0; image < batch; image++) {
      const values = interpret(program, pixels.subarray(image * size, (image + 1) * size));
      for (const name of names) {
        const data = values.get(name);
        if (data !== undefined) outputs[name]?.data.set(data, image * data.length);
      }
    }
    return outputs;
  }

  return {
    info: { backend: 'mine', variant: 'exact', threads: 1, bytes },
    run: async (pixels, runOptions) => {
      admit(pixels, runOptions.batch);
      const task = queue.then(() => runNow(pixels, runOptions));
      queue = task.catch(() => undefined);
      return task;
    },
    trace: async function* (pixels) {
      admit(pixels, 1);
      const values = interpret(program, pixels);
      for (const { result } of program.ops) {
        const data = values.get(result);
        if (data !== undefined) yield { value: result, digest: bytesToHex(sha256(littleEndianBytes(data))) };
      }
    },
    dispose: async () => {
      disposed = true;
      await queue;
    },
  };
}

/** `softmax`, `softmax@2` → `{ softmax: [1, 2] }`. */
function versionsOf(ops: readonly string[]): Record<string, number[]> {
  const versions: Record<string, number[]> = {};
  for (const key of ops) {
    const [name = '', version = '1'] = key.split('@');
    versions[name] = [...(versions[name] ?? []), Number(version)];
  }
  return versions;
}

/** The smallest backend that keeps every promise: it runs the kit's own interpreter. */
export function createMyBackend(ops: readonly string[] = CASE_OPS): Backend {
  return {
    specificationVersion: 1,
    name: 'mine',
    version: '1.0.0',
    ops: versionsOf(ops),
    probe: async () => ({ available: true, device: 'BigInt', threads: 1, features: [] }),
    compile: async (program, options = {}) => compile(new Set(ops), program, options),
  };
}
