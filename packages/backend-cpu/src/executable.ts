import type { Executable, ExecutableInfo, Outputs, OutputTensor, RunOptions } from '@ivit/backend';
import { littleEndianBytes, RunQueue, throwIfAborted } from '@ivit/program';
import { makeArray } from '@ivit/tensor';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Engine, requestAbort, resetCounters, valueView } from './engine.js';
import type { Lanes } from './lanes.js';
import type { MemoryPlan } from './plan/plan-program.js';
import { GROUP_WORDS } from './record-layout.js';
import { nextTurn } from './turn.js';
import type { WorkerPool } from './worker-pool.js';

/** The calling thread works so long before it lets the event loop turn, in milliseconds. */
const TURN_MILLISECONDS = 40;

/** Threads that walk the list; without them the calling thread does. */
export interface ThreadedRun {
  readonly pool: WorkerPool;
  readonly id: number;
  readonly lanes: Lanes;
}

export class CpuExecutable implements Executable {
  readonly info: ExecutableInfo;
  readonly #plan: MemoryPlan;
  readonly #threads: ThreadedRun | undefined;
  readonly #queue: RunQueue<Engine>;

  constructor(
    engine: Engine,
    plan: MemoryPlan,
    maxBatch: number,
    info: ExecutableInfo,
    threads: ThreadedRun | undefined,
  ) {
    this.info = info;
    this.#plan = plan;
    this.#threads = threads;
    this.#queue = new RunQueue(engine, maxBatch, plan.input.count);
  }

  run(pixels: Uint8Array, options: RunOptions): Promise<Outputs> {
    return this.#queue.run(pixels, options, () => this.#runBatch(pixels, options));
  }

  async #runBatch(pixels: Uint8Array, { batch, signal }: RunOptions): Promise<Outputs> {
    const { input, outputs } = this.#plan;
    const collected = outputs.map(({ dtype, count }) => makeArray(dtype, count * batch));
    const alone = this.#threads?.lanes.take(batch) ?? 0;
    if (alone > 0) {
      await this.#threads?.lanes.run(this.#queue.live(), pixels.subarray(0, alone * input.count), collected, signal);
      throwIfAborted(signal, 'The run');
      this.#queue.live();
    }
    for (let image = alone; image < batch; image++) {
      const engine = this.#queue.live();
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
      throwIfAborted(signal, 'The run');
      this.#queue.live();
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
    throwIfAborted(signal, 'The run');
    this.#queue.live();
  }

  trace(pixels: Uint8Array): AsyncIterable<{ readonly value: string; readonly digest: string }> {
    return this.#queue.trace(pixels, (engine) => this.#traceImage(engine, pixels));
  }

  *#traceImage(engine: Engine, pixels: Uint8Array): Iterable<{ value: string; digest: string }> {
    const { list, input, scratch, traced } = this.#plan;
    valueView(engine, input).set(pixels);
    resetCounters(engine, this.#plan);
    for (const [group, values] of traced.entries()) {
      engine.kernels.run(list.address + group * GROUP_WORDS * 4, 1, 1, scratch.address);
      // Digests first: a value may lose its place in the next group.
      const digests = values.map((value) => {
        const data = valueView(engine, value).slice();
        return { value: value.value, digest: bytesToHex(sha256(littleEndianBytes(data))) };
      });
      yield* digests;
    }
  }

  dispose(): Promise<void> {
    return this.#queue.dispose(async (engine, ended) => {
      if (this.#threads === undefined) return ended;
      const { pool, id } = this.#threads;
      requestAbort(engine);
      await ended;
      pool.drop(id);
      pool.giveBack(engine.memory);
      pool.release();
    });
  }
}
