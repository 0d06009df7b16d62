import type { Executable, ExecutableInfo, Outputs, OutputTensor, RunOptions } from '@ivit/backend';
import { assertPixels, IvitError } from '@ivit/program';
import { DTYPES, type IntegerArray, makeArray } from '@ivit/tensor';
import { throwIfAborted, untilAborted } from './abort.js';
import type { DeviceContext } from './device/context.js';
import type { Resources } from './device/resources.js';
import { runImages } from './device/run-images.js';
import { traceImage } from './device/trace-image.js';
import type { DevicePlan } from './plan/plan-program.js';

/** What an executable was made of. */
export interface Parts {
  readonly context: DeviceContext;
  readonly plan: DevicePlan;
  readonly resources: Resources;
  /** Names of the values to hand out, in the order of the result. */
  readonly outputs: readonly string[];
  readonly maxBatch: number;
  readonly info: ExecutableInfo;
}

export class WebgpuExecutable implements Executable {
  readonly info: ExecutableInfo;
  readonly #parts: Parts;
  /** One batch of pixels as the arena takes them. */
  readonly #upload: Uint8Array<ArrayBuffer>;
  #queue: Promise<unknown> = Promise.resolve();
  #disposal: Promise<void> | undefined;

  constructor(parts: Parts) {
    this.info = parts.info;
    this.#parts = parts;
    const { input, capacity } = parts.plan;
    this.#upload = new Uint8Array(input.imageWords * capacity * 4);
  }

  #assertLive(): void {
    if (this.#disposal !== undefined) {
      throw new IvitError('E_DISPOSED', 'The executable was disposed', { hint: 'Compile the program again.' });
    }
  }

  #checkInput(pixels: Uint8Array, batch: number): void {
    this.#assertLive();
    const { maxBatch, plan } = this.#parts;
    assertPixels(pixels, batch, maxBatch, plan.input.count);
  }

  /** Runs after everything queued before, whether that succeeded or not. */
  #enqueue<T>(task: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(task, task);
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async run(pixels: Uint8Array, options: RunOptions): Promise<Outputs> {
    this.#checkInput(pixels, options.batch);
    throwIfAborted(options.signal, 'The run');
    // What the GPU was given it finishes; the caller need not wait for that.
    return untilAborted(
      this.#enqueue(() => this.#runBatch(pixels, options)),
      options.signal,
      'The run',
    );
  }

  async #runBatch(pixels: Uint8Array, { batch, signal }: RunOptions): Promise<Outputs> {
    const { context, plan, resources, outputs } = this.#parts;
    this.#checkInput(pixels, batch);
    const { input } = plan;
    const collected = new Map<string, IntegerArray>();
    for (const { value, dtype, count } of plan.outputs) collected.set(value, makeArray(dtype, count * batch));
    if (outputs.includes(input.value)) collected.set(input.value, pixels.slice());
    for (let first = 0; first < batch; first += plan.capacity) {
      throwIfAborted(signal, 'The run');
      this.#assertLive();
      const images = Math.min(plan.capacity, batch - first);
      this.#fill(pixels, first, images);
      await runImages(context, plan, resources, this.#upload, images, (output, image, data) => {
        collected.get(output.value)?.set(data, (first + image) * output.count);
      });
    }
    this.#assertLive();
    const result: Record<string, OutputTensor> = {};
    for (const value of outputs) {
      const data = collected.get(value);
      const placed = value === input.value ? input : plan.outputs.find((output) => output.value === value);
      if (data === undefined || placed === undefined) continue;
      result[value] = { dtype: placed.dtype, shape: [batch, ...placed.shape], data };
    }
    return result;
  }

  /** Lays images out as the arena has them. */
  #fill(pixels: Uint8Array, first: number, images: number): void {
    const { input } = this.#parts.plan;
    for (let image = 0; image < images; image++) {
      const from = (first + image) * input.count;
      this.#upload.set(pixels.subarray(from, from + input.count), image * input.imageWords * DTYPES.i32.bytes);
    }
  }

  async *trace(pixels: Uint8Array): AsyncIterable<{ readonly value: string; readonly digest: string }> {
    this.#checkInput(pixels, 1);
    // The trace holds the queue for its whole life: its values share memory with every other run.
    let release: () => void = () => undefined;
    const done = new Promise<void>((resolve) => {
      release = resolve;
    });
    const before = this.#queue;
    this.#queue = before.then(() => done);
    try {
      await before;
      this.#checkInput(pixels, 1);
      this.#fill(pixels, 0, 1);
      const { context, plan, resources } = this.#parts;
      for await (const entry of traceImage(context, plan, resources, this.#upload)) {
        this.#assertLive();
        yield entry;
      }
    } finally {
      release();
    }
  }

  dispose(): Promise<void> {
    this.#disposal ??= this.#queue.then(() => this.#parts.resources.destroy());
    return this.#disposal;
  }
}
