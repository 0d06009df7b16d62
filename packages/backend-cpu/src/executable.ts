import type { Executable, ExecutableInfo, Outputs, OutputTensor, RunOptions } from '@ivit/backend';
import { assertPixels, IvitError, littleEndianBytes } from '@ivit/program';
import { makeArray } from '@ivit/tensor';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Engine, requestAbort, resetCounters, valueView } from './engine.js';
import type { MemoryPlan } from './plan/encode.js';
import { GROUP_WORDS } from './record-layout.js';
import { nextTurn } from './turn.js';
import type { WorkerPool } from './worker-pool.js';

/** The calling thread works so long before it lets the event loop turn, in milliseconds. */
const TURN_MILLISECONDS = 40;

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new IvitError('E_ABORTED', 'The run was aborted', { cause: signal.reason });
}

/** Threads that walk the list; without them the calling thread does. */
export interface ThreadedRun {
  readonly pool: WorkerPool;
  readonly id: number;
}

export class CpuExecutable implements Executable {
  readonly info: ExecutableInfo;
  readonly #plan: MemoryPlan;
  readonly #maxBatch: number;
  readonly #threads: ThreadedRun | undefined;
  #engine: Engine | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #disposal: Promise<void> | undefined;

  constructor(
    engine: Engine,
    plan: MemoryPlan,
    maxBatch: number,
    info: ExecutableInfo,
    threads: ThreadedRun | undefined,
  ) {
    this.info = info;
    this.#engine = engine;
    this.#plan = plan;
    this.#maxBatch = maxBatch;
    this.#threads = threads;
  }

  #live(): Engine {
    if (this.#engine === undefined) {
      throw new IvitError('E_DISPOSED', 'The executable was disposed', { hint: 'Compile the program again.' });
    }
    return this.#engine;
  }

  #checkInput(pixels: Uint8Array, batch: number): void {
    this.#live();
    assertPixels(pixels, batch, this.#maxBatch, this.#plan.input.count);
  }

  /** Runs after everything queued before, whether that succeeded or not. */
  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task, task);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async run(pixels: Uint8Array, options: RunOptions): Promise<Outputs> {
    this.#checkInput(pixels, options.batch);
    return this.#enqueue(() => this.#runBatch(pixels, options));
  }

  async #runBatch(pixels: Uint8Array, { batch, signal }: RunOptions): Promise<Outputs> {
    this.#checkInput(pixels, batch);
    throwIfAborted(signal);
    const { input, outputs } = this.#plan;
    const collected = outputs.map(({ dtype, count }) => makeArray(dtype, count * batch));
    for (let image = 0; image < batch; image++) {
      const engine = this.#live();
      valueView(engine, input).set(pixels.subarray(image * input.count, (image + 1) * input.count));
      resetCounters(engine, this.#plan);
      if (this.#threads === undefined) await this.#runHere(engine, signal);
      else await this.#runThreads(engine, this.#threads, signal);
      for (const [index, output] of outputs.entries()) {
        collected[index]?.set(valueView(engine, output), image * output.count);
      }
    }
    const result: Record<string, OutputTensor> = {};
    for (const [index, { value, dtype, shape }] of outputs.entries()) {
      result[value] = { dtype, shape: [batch, ...shape], data: collected[index] ?? makeArray(dtype, 0) };
    }
    return result;
  }

  async #runHere({ kernels }: Engine, signal: AbortSignal | undefined): Promise<void> {
    const { list, scratch } = this.#plan;
    let turned = performance.now();
    for (let group = 0; group < list.count; group++) {
      kernels.run(list.address + group * GROUP_WORDS * 4, 1, 1, scratch.address);
      if (performance.now() - turned < TURN_MILLISECONDS) continue;
      await nextTurn();
      throwIfAborted(signal);
      this.#live();
      turned = performance.now();
    }
  }

  async #runThreads(engine: Engine, { pool, id }: ThreadedRun, signal: AbortSignal | undefined): Promise<void> {
    const { list } = this.#plan;
    const stop = (): void => requestAbort(engine);
    signal?.addEventListener('abort', stop, { once: true });
    try {
      await pool.run(id, list.address, list.count);
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    throwIfAborted(signal);
    this.#live();
  }

  async *trace(pixels: Uint8Array): AsyncIterable<{ readonly value: string; readonly digest: string }> {
    this.#checkInput(pixels, 1);
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
      const { list, input, scratch, traced } = this.#plan;
      valueView(this.#live(), input).set(pixels);
      resetCounters(this.#live(), this.#plan);
      for (const [group, values] of traced.entries()) {
        const engine = this.#live();
        engine.kernels.run(list.address + group * GROUP_WORDS * 4, 1, 1, scratch.address);
        // Digests first: a value may lose its place in the next group.
        const digests = values.map((value) => {
          const data = valueView(engine, value).slice();
          return { value: value.value, digest: bytesToHex(sha256(littleEndianBytes(data))) };
        });
        yield* digests;
      }
    } finally {
      release();
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#end();
    return this.#disposal;
  }

  async #end(): Promise<void> {
    const engine = this.#engine;
    if (this.#threads !== undefined && engine !== undefined) requestAbort(engine);
    this.#engine = undefined;
    await this.#queue;
    this.#threads?.pool.drop(this.#threads.id);
    if (engine !== undefined) this.#threads?.pool.giveBack(engine.memory);
    this.#threads?.pool.release();
  }
}
