import type { Executable, ExecutableInfo, Outputs, OutputTensor, RunOptions } from '@ivit/backend';
import { RunQueue, throwIfAborted } from '@ivit/program';
import { DTYPES, type IntegerArray, makeArray } from '@ivit/tensor';
import { untilAborted } from './abort.js';
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
  readonly #queue: RunQueue<Parts>;

  constructor(parts: Parts) {
    this.info = parts.info;
    this.#parts = parts;
    const { input, capacity } = parts.plan;
    this.#upload = new Uint8Array(input.imageWords * capacity * 4);
    this.#queue = new RunQueue(parts, parts.maxBatch, input.count);
  }

  async run(pixels: Uint8Array, options: RunOptions): Promise<Outputs> {
    // What the GPU was given it finishes; the caller need not wait for that.
    return untilAborted(
      this.#queue.run(pixels, options, () => this.#runBatch(pixels, options)),
      options.signal,
      'The run',
    );
  }

  async #runBatch(pixels: Uint8Array, { batch, signal }: RunOptions): Promise<Outputs> {
    const { context, plan, resources, outputs } = this.#parts;
    const { input } = plan;
    const collected = new Map<string, IntegerArray>();
    for (const { value, dtype, count } of plan.outputs) collected.set(value, makeArray(dtype, count * batch));
    if (outputs.includes(input.value)) collected.set(input.value, pixels.slice());
    for (let first = 0; first < batch; first += plan.capacity) {
      throwIfAborted(signal, 'The run');
      this.#queue.live();
      const images = Math.min(plan.capacity, batch - first);
      this.#fill(pixels, first, images);
      await runImages(context, plan, resources, this.#upload, images, (output, image, data) => {
        collected.get(output.value)?.set(data, (first + image) * output.count);
      });
    }
    this.#queue.live();
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

  trace(pixels: Uint8Array): AsyncIterable<{ readonly value: string; readonly digest: string }> {
    return this.#queue.trace(pixels, ({ context, plan, resources }) => {
      this.#fill(pixels, 0, 1);
      return traceImage(context, plan, resources, this.#upload);
    });
  }

  dispose(): Promise<void> {
    return this.#queue.dispose(async ({ resources }, ended) => {
      await ended;
      resources.destroy();
    });
  }
}
