import type { IntegerArray } from '@ivit/tensor';
import { viewBytes } from '@ivit/tensor';
import { RECORD_BYTES } from '../layout.js';
import type { DevicePlan, PlacedValue, PlannedDispatch } from '../plan/plan-program.js';
import type { DeviceContext } from './context.js';
import { READ_MODE } from './flags.js';
import type { Resources } from './resources.js';
import { scoped } from './scoped.js';

/** Encodes one dispatch into a pass. */
export function encodeDispatch(
  pass: GPUComputePassEncoder,
  resources: Resources,
  index: number,
  { grid, constants }: PlannedDispatch,
  images: number,
): void {
  pass.setPipeline(resources.pipelines[index] as GPUComputePipeline);
  pass.setBindGroup(0, resources.bindGroups[constants] as GPUBindGroup, [index * RECORD_BYTES]);
  pass.dispatchWorkgroups(grid[0], grid[1], images);
}

/** Gives the arena its pixels. */
export function upload(
  context: DeviceContext,
  plan: DevicePlan,
  arena: GPUBuffer,
  pixels: Uint8Array<ArrayBuffer>,
): void {
  context.device.queue.writeBuffer(arena, plan.input.base * 4, pixels);
}

/** What a buffer that is being read back holds. @throws E_DEVICE_LOST, and what the scope found */
export async function readBack(
  context: DeviceContext,
  buffer: GPUBuffer,
  size: number,
  submitted: Promise<unknown>,
  mapping: Promise<undefined>,
  read: (bytes: ArrayBuffer) => void,
): Promise<void> {
  const outcomes = await Promise.allSettled([submitted, mapping]);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  try {
    if (failed === undefined) read(buffer.getMappedRange(0, size));
  } finally {
    if (outcomes[1].status === 'fulfilled') buffer.unmap();
  }
  if (failed === undefined) return;
  // Loss is told a moment later than the refusals that it causes.
  await new Promise((resolve) => setTimeout(resolve, 0));
  context.assertAlive();
  throw failed.reason;
}

/**
 * Runs a program on images that lie in `pixels` as the arena has them: one command buffer, one read-back.
 *
 * @param take is given each output of each image; its data is only lent
 * @throws E_DEVICE_LOST, E_MEMORY, E_DEVICE_ERROR
 */
export async function runImages(
  context: DeviceContext,
  plan: DevicePlan,
  resources: Resources,
  pixels: Uint8Array<ArrayBuffer>,
  images: number,
  take: (output: PlacedValue, image: number, data: IntegerArray) => void,
): Promise<void> {
  context.assertAlive();
  const { device } = context;
  const { arena, staging } = resources;
  const places = new Map<string, number>();
  let end = 0;
  for (const { value, imageWords } of plan.outputs) {
    places.set(value, end);
    end += imageWords * images * 4;
  }
  if (end === 0) return;
  let mapping: Promise<undefined> = Promise.resolve(undefined);
  const submitted = scoped(device, 'running the program', () => {
    upload(context, plan, arena, pixels);
    const encoder = device.createCommandEncoder();
    let pass: GPUComputePassEncoder | undefined;
    for (const [index, dispatch] of plan.dispatches.entries()) {
      pass ??= encoder.beginComputePass();
      encodeDispatch(pass, resources, index, dispatch, images);
      const { value, base, imageWords } = dispatch.result;
      const place = places.get(value);
      if (place === undefined) continue;
      // Copied at once: its memory goes to other values when nothing reads it any more.
      pass.end();
      pass = undefined;
      encoder.copyBufferToBuffer(arena, base * 4, staging, place, imageWords * images * 4);
    }
    pass?.end();
    device.queue.submit([encoder.finish()]);
    mapping = staging.mapAsync(READ_MODE, 0, end);
    mapping.catch(() => undefined);
  });
  await readBack(context, staging, end, submitted, mapping, (bytes) => {
    for (const output of plan.outputs) {
      for (let image = 0; image < images; image++) {
        const at = (places.get(output.value) ?? 0) + image * output.imageWords * 4;
        take(output, image, viewBytes(output.dtype, bytes, at, output.count));
      }
    }
  });
}
