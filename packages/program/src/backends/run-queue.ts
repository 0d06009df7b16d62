import { IvitError } from '../error.js';
import { throwIfAborted } from './abort.js';
import { assertPixels } from './assert-pixels.js';

/** What one call brings, as the backend contract has it. */
export interface RunWishes {
  /** Images in the pixels, 1 … maxBatch. */
  readonly batch: number;
  readonly signal?: AbortSignal;
}

/**
 * The calls of one executable, one after the other and first in, first out, over what it holds: memory, steps, a device's
 * buffers. Whoever implements `Executable` of the backend contract need not write this again.
 */
export class RunQueue<Held extends object> {
  readonly #maxBatch: number;
  readonly #imageBytes: number;
  #held: Held | undefined;
  /** Ends with the last call that was queued; never rejects. */
  #last: Promise<void> = Promise.resolve();
  #disposal: Promise<void> = Promise.resolve();

  /**
   * @param held what the calls share
   * @param maxBatch images that one call may bring
   * @param imageBytes bytes of one image's pixels
   */
  constructor(held: Held, maxBatch: number, imageBytes: number) {
    this.#held = held;
    this.#maxBatch = maxBatch;
    this.#imageBytes = imageBytes;
  }

  /**
   * What the executable holds. A call that gave the event loop a turn asks again before it goes on.
   *
   * @throws E_DISPOSED
   */
  live(): Held {
    if (this.#held === undefined) {
      throw new IvitError('E_DISPOSED', 'The executable was disposed', { hint: 'Compile the program again.' });
    }
    return this.#held;
  }

  #admit(pixels: Uint8Array, batch: number): Held {
    const held = this.live();
    assertPixels(pixels, batch, this.#maxBatch, this.#imageBytes);
    return held;
  }

  /**
   * Runs `task` after everything queued before, whether that succeeded or not.
   *
   * @throws E_INPUT, E_DISPOSED at once; the same and E_ABORTED when the call's turn comes; what `task` throws
   */
  async run<Result>(
    pixels: Uint8Array,
    { batch, signal }: RunWishes,
    task: (held: Held) => Promise<Result>,
  ): Promise<Result> {
    this.#admit(pixels, batch);
    const turn = this.#last.then(() => {
      // Meanwhile the executable may be gone, and so may the pixels' buffer.
      const held = this.#admit(pixels, batch);
      throwIfAborted(signal, 'The run');
      return task(held);
    });
    this.#last = turn.then(
      () => undefined,
      () => undefined,
    );
    return turn;
  }

  /**
   * Hands on what `task` yields for one image. The trace has the executable for its whole life, until its last entry or until the
   * caller leaves it: its values share memory with every other call.
   *
   * @throws E_INPUT, E_DISPOSED, what `task` throws
   */
  async *trace<Entry>(
    pixels: Uint8Array,
    task: (held: Held) => AsyncIterable<Entry> | Iterable<Entry>,
  ): AsyncGenerator<Entry, void, undefined> {
    this.#admit(pixels, 1);
    let release: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before = this.#last;
    this.#last = before.then(() => done);
    try {
      await before;
      for await (const entry of task(this.#admit(pixels, 1))) {
        this.live();
        yield entry;
      }
    } finally {
      release();
    }
  }

  /**
   * Refuses all later calls, and those that wait. `free` is called once, at once, however often this is.
   *
   * @param free gives back what was held: what a call may still use only after `ended`, which comes after all calls
   * @returns when `free` is done
   */
  dispose(free: (held: Held, ended: Promise<void>) => Promise<void>): Promise<void> {
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      this.#disposal = free(held, this.#last);
    }
    return this.#disposal;
  }
}
