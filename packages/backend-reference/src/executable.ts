import type { CompileOptions, Executable, ExecutableInfo, Outputs, OutputTensor, RunOptions } from '@ivit/backend';
import {
  assertPixels,
  type IntArray,
  IvitError,
  littleEndianBytes,
  requestedOutputs,
  type ValidatedProgram,
} from '@ivit/program';
import { makeArray } from '@ivit/tensor';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { planMemory } from './memory.js';
import { OperandReader } from './operands.js';
import { createSteps, type Step } from './steps.js';

/** Ops between two chances for timers and aborts to act. */
const OPS_PER_TURN = 16;

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new IvitError('E_ABORTED', 'The run was aborted', { cause: signal.reason });
}

/**
 * Compiles a program into steps over one image's memory; a batch runs image by image.
 *
 * @throws IvitError E_INPUT (unknown output, bad maxBatch), E_MEMORY, E_ABORTED
 */
export function createExecutable(program: ValidatedProgram, options: CompileOptions): Executable {
  throwIfAborted(options.signal);
  const maxBatch = options.maxBatch ?? 1;
  if (!Number.isSafeInteger(maxBatch) || maxBatch < 1) {
    throw new IvitError('E_INPUT', `maxBatch is ${maxBatch}, not a whole number of at least 1`, { where: 'maxBatch' });
  }
  const outputs = requestedOutputs(program, options.outputs);
  let steps: readonly Step[];
  let memory: ReturnType<typeof planMemory>;
  let bytes: number;
  try {
    memory = planMemory(program, new Set([...outputs, program.input]));
    const reader = new OperandReader(program, memory);
    steps = createSteps(program, reader);
    bytes = memory.bytes + reader.scratchBytes;
  } catch (error) {
    if (IvitError.isInstance(error)) throw error;
    throw new IvitError('E_MEMORY', 'There is not enough memory for the values of one image', { cause: error });
  }
  if (options.memoryLimit !== undefined && bytes > options.memoryLimit) {
    throw new IvitError(
      'E_MEMORY',
      `The executable needs ${bytes} bytes, more than the limit of ${options.memoryLimit}`,
      {
        where: 'memoryLimit',
        hint: 'Raise the limit or use a smaller model.',
      },
    );
  }
  const info: ExecutableInfo = { backend: 'reference', variant: 'interpreter', threads: 1, bytes };
  return new ReferenceExecutable(program, memory.arrays, steps, outputs, maxBatch, info);
}

class ReferenceExecutable implements Executable {
  readonly info: ExecutableInfo;
  readonly #program: ValidatedProgram;
  readonly #outputs: readonly string[];
  readonly #maxBatch: number;
  #arrays: ReadonlyMap<string, IntArray> | undefined;
  #steps: readonly Step[];
  #queue: Promise<unknown> = Promise.resolve();

  constructor(
    program: ValidatedProgram,
    arrays: ReadonlyMap<string, IntArray>,
    steps: readonly Step[],
    outputs: readonly string[],
    maxBatch: number,
    info: ExecutableInfo,
  ) {
    this.info = info;
    this.#program = program;
    this.#arrays = arrays;
    this.#steps = steps;
    this.#outputs = outputs;
    this.#maxBatch = maxBatch;
  }

  #live(): ReadonlyMap<string, IntArray> {
    if (this.#arrays === undefined) {
      throw new IvitError('E_DISPOSED', 'The executable was disposed', { hint: 'Compile the program again.' });
    }
    return this.#arrays;
  }

  #input(pixels: Uint8Array, batch: number): number {
    const size = this.#live().get(this.#program.input)?.length ?? 0;
    assertPixels(pixels, batch, this.#maxBatch, size);
    return size;
  }

  /** Runs after everything queued before, whether that succeeded or not. */
  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task, task);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async run(pixels: Uint8Array, options: RunOptions): Promise<Outputs> {
    this.#input(pixels, options.batch);
    return this.#enqueue(() => this.#runBatch(pixels, options));
  }

  async #runBatch(pixels: Uint8Array, options: RunOptions): Promise<Outputs> {
    const arrays = this.#live();
    const size = this.#input(pixels, options.batch);
    const collected = new Map<string, IntArray>();
    for (const name of this.#outputs) {
      const array = arrays.get(name) as IntArray;
      const dtype = this.#program.values[name]?.dtype ?? 'i32';
      collected.set(name, makeArray(dtype, array.length * options.batch));
    }
    for (let image = 0; image < options.batch; image++) {
      (arrays.get(this.#program.input) as IntArray).set(pixels.subarray(image * size, (image + 1) * size));
      for (const [index, step] of this.#steps.entries()) {
        if (index % OPS_PER_TURN === 0) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          throwIfAborted(options.signal);
          this.#live();
        }
        step.run();
      }
      for (const [name, target] of collected) {
        const array = arrays.get(name) as IntArray;
        target.set(array, image * array.length);
      }
    }
    const result: Record<string, OutputTensor> = {};
    for (const [name, data] of collected) {
      const type = this.#program.values[name];
      if (type !== undefined) result[name] = { dtype: type.dtype, shape: [options.batch, ...type.shape], data };
    }
    return result;
  }

  async *trace(pixels: Uint8Array): AsyncIterable<{ readonly value: string; readonly digest: string }> {
    this.#input(pixels, 1);
    // The trace holds the queue for its whole life: its values share memory with every other run.
    let release: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before = this.#queue;
    this.#queue = before.then(
      () => done,
      () => done,
    );
    try {
      await before;
      const arrays = this.#live();
      (arrays.get(this.#program.input) as IntArray).set(pixels);
      for (const step of this.#steps) {
        this.#live();
        step.run();
        const data = arrays.get(step.result) as IntArray;
        yield { value: step.result, digest: bytesToHex(sha256(littleEndianBytes(data))) };
      }
    } finally {
      release();
    }
  }

  async dispose(): Promise<void> {
    this.#arrays = undefined;
    await this.#queue;
    this.#steps = [];
  }
}
