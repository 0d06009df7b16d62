import type { CompileOptions, Executable, ExecutableInfo, Outputs, OutputTensor, RunOptions } from '@ivit/backend';
import {
  assertMemory,
  compileRequest,
  type IntArray,
  IvitError,
  littleEndianBytes,
  OP_VERSIONS,
  RunQueue,
  throwIfAborted,
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

/**
 * Compiles a program into steps over one image's memory; a batch runs image by image.
 *
 * @throws IvitError E_INPUT (unknown output, bad maxBatch), E_MEMORY, E_ABORTED
 */
export function createExecutable(program: ValidatedProgram, options: CompileOptions): Executable {
  const { maxBatch, outputs } = compileRequest(program, options, 'reference', OP_VERSIONS);
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
  assertMemory(bytes, options.memoryLimit);
  const info: ExecutableInfo = { backend: 'reference', variant: 'interpreter', threads: 1, bytes };
  return new ReferenceExecutable(program, { arrays: memory.arrays, steps }, outputs, maxBatch, info);
}

/** One image's values, and the ops over them. */
interface Machine {
  readonly arrays: ReadonlyMap<string, IntArray>;
  readonly steps: readonly Step[];
}

class ReferenceExecutable implements Executable {
  readonly info: ExecutableInfo;
  readonly #program: ValidatedProgram;
  readonly #outputs: readonly string[];
  readonly #queue: RunQueue<Machine>;

  constructor(
    program: ValidatedProgram,
    machine: Machine,
    outputs: readonly string[],
    maxBatch: number,
    info: ExecutableInfo,
  ) {
    this.info = info;
    this.#program = program;
    this.#outputs = outputs;
    this.#queue = new RunQueue(machine, maxBatch, machine.arrays.get(program.input)?.length ?? 0);
  }

  run(pixels: Uint8Array, options: RunOptions): Promise<Outputs> {
    return this.#queue.run(pixels, options, (machine) => this.#runBatch(machine, pixels, options));
  }

  async #runBatch({ arrays, steps }: Machine, pixels: Uint8Array, { batch, signal }: RunOptions): Promise<Outputs> {
    const input = arrays.get(this.#program.input) as IntArray;
    const collected = new Map<string, IntArray>();
    for (const name of this.#outputs) {
      const array = arrays.get(name) as IntArray;
      const dtype = this.#program.values[name]?.dtype ?? 'i32';
      collected.set(name, makeArray(dtype, array.length * batch));
    }
    for (let image = 0; image < batch; image++) {
      input.set(pixels.subarray(image * input.length, (image + 1) * input.length));
      for (const [index, step] of steps.entries()) {
        if (index % OPS_PER_TURN === 0) {
          await new Promise((resolve) => setTimeout(resolve, 0));
          throwIfAborted(signal, 'The run');
          this.#queue.live();
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
      if (type !== undefined) result[name] = { dtype: type.dtype, shape: [batch, ...type.shape], data };
    }
    return result;
  }

  trace(pixels: Uint8Array): AsyncIterable<{ readonly value: string; readonly digest: string }> {
    return this.#queue.trace(pixels, (machine) => this.#traceImage(machine, pixels));
  }

  *#traceImage({ arrays, steps }: Machine, pixels: Uint8Array): Iterable<{ value: string; digest: string }> {
    (arrays.get(this.#program.input) as IntArray).set(pixels);
    for (const step of steps) {
      step.run();
      const data = arrays.get(step.result) as IntArray;
      yield { value: step.result, digest: bytesToHex(sha256(littleEndianBytes(data))) };
    }
  }

  dispose(): Promise<void> {
    return this.#queue.dispose((_, ended) => ended);
  }
}
