/** Whole images per thread: a batch of at least as many images as threads needs no thread to wait for another. */
import type { IntegerArray } from '@ivit/tensor';
import { type Engine, requestAbort, resetCounters, resetList, valueView, writeList } from './engine.js';
import type { ListPlan, MemoryPlan } from './plan/plan-program.js';
import type { WorkerPool } from './worker-pool.js';

export class Lanes {
  readonly #plan: MemoryPlan;
  readonly #pool: WorkerPool;
  readonly #id: number;
  /** One per thread, from the first batch on. */
  #lists: readonly ListPlan[] | undefined;

  constructor(plan: MemoryPlan, pool: WorkerPool, id: number) {
    this.#plan = plan;
    this.#pool = pool;
    this.#id = id;
  }

  /** How many images of a batch run whole on a thread each, the first ones; all threads share each of the others. */
  take(batch: number): number {
    return this.#plan.lanes === undefined ? 0 : batch - (batch % this.#pool.threads);
  }

  #laid(engine: Engine): readonly ListPlan[] {
    if (this.#lists === undefined) {
      const { threads } = this.#pool;
      const lists = Array.from({ length: threads }, (_, thread) => this.#plan.lanes?.lay(thread) ?? this.#plan);
      for (const list of lists) writeList(engine, list);
      this.#lists = lists;
    }
    return this.#lists;
  }

  /**
   * Runs whole images and writes their outputs. After an abort, or where the executable is disposed of, every thread stops at
   * the end of its group: it is for the caller to see whether that happened.
   *
   * @throws E_DEVICE_LOST
   */
  async run(
    engine: Engine,
    pixels: Uint8Array,
    collected: readonly IntegerArray[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const { count } = this.#plan.input;
    const lists = this.#laid(engine);
    resetCounters(engine, this.#plan);
    const stop = (): void => requestAbort(engine);
    signal?.addEventListener('abort', stop, { once: true });
    let next = 0;
    let stopped = false;
    const drive = async ({ list, scratch, input, outputs, counters }: ListPlan, thread: number): Promise<void> => {
      while (!stopped && next * count < pixels.length) {
        const image = next;
        next += 1;
        valueView(engine, input).set(pixels.subarray(image * count, (image + 1) * count));
        resetList(engine, counters);
        const done = await this.#pool.runOn(thread, this.#id, list.address, list.count, scratch.address);
        // Nobody takes the request back: the others stop, too.
        if (done < list.count) stopped = true;
        for (const [index, output] of outputs.entries()) {
          collected[index]?.set(valueView(engine, output), image * output.count);
        }
      }
    };
    try {
      await Promise.all(lists.map(drive));
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }
}
