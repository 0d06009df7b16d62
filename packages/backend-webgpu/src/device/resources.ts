import { RECORD_BYTES } from '../layout.js';
import type { DevicePlan } from '../plan/plan-program.js';
import type { DeviceContext } from './context.js';
import { COPY_DST, COPY_SRC, MAP_READ, STORAGE, UNIFORM } from './flags.js';
import { scoped } from './scoped.js';

/** Everything that a run uses, made once. */
export interface Resources {
  readonly arena: GPUBuffer;
  /** Where outputs are read back, one after the other; none where only the input is asked for. */
  readonly staging: GPUBuffer;
  readonly pipelines: readonly GPUComputePipeline[];
  /** By buffer of constants. */
  readonly bindGroups: readonly GPUBindGroup[];
  destroy(): void;
}

/** Bytes of the outputs of a full batch, as they are read back. */
export function stagingBytes({ outputs, capacity }: DevicePlan): number {
  const words = outputs.reduce((sum, { imageWords }) => sum + imageWords * capacity, 0);
  return Math.max(16, words * 4);
}

/** @throws E_MEMORY, E_DEVICE_ERROR, E_DEVICE_LOST */
export async function createResources(context: DeviceContext, plan: DevicePlan): Promise<Resources> {
  context.assertAlive();
  const { device, bindGroupLayout } = context;
  const codes = [...new Set(plan.dispatches.map(({ code }) => code))];
  // All at once: the driver may compile them side by side, and while buffers are filled.
  const compiling = Promise.all(codes.map((code) => context.pipeline(code)));
  compiling.catch(() => undefined);
  const buffers: GPUBuffer[] = [];
  const destroy = (): void => {
    for (const buffer of buffers) buffer.destroy();
  };
  try {
    const made = await scoped(device, 'making buffers', () => {
      const create = (size: number, usage: number): GPUBuffer => {
        const buffer = device.createBuffer({ size: Math.max(16, size), usage });
        buffers.push(buffer);
        return buffer;
      };
      const arena = create(plan.arenaWords * 4, STORAGE | COPY_DST | COPY_SRC);
      const staging = create(stagingBytes(plan), MAP_READ | COPY_DST);
      const records = create(plan.dispatches.length * RECORD_BYTES, UNIFORM | COPY_DST);
      const constants = plan.constants.sizes.map((words) => create(words * 4, STORAGE | COPY_DST));
      return { arena, staging, records, constants };
    });
    const { arena, staging, records, constants } = made;
    const bindGroups = await scoped(device, 'filling buffers', () => {
      for (const [index, buffer] of constants.entries())
        device.queue.writeBuffer(buffer, 0, plan.constants.fill(index));
      for (const [index, { record }] of plan.dispatches.entries()) {
        device.queue.writeBuffer(records, index * RECORD_BYTES, record);
      }
      return constants.map((buffer) =>
        device.createBindGroup({
          layout: bindGroupLayout,
          entries: [
            { binding: 0, resource: { buffer: arena } },
            { binding: 1, resource: { buffer } },
            { binding: 2, resource: { buffer: records, size: RECORD_BYTES } },
          ],
        }),
      );
    });
    const ready = new Map((await compiling).map((pipeline, index) => [codes[index], pipeline]));
    const pipelines = plan.dispatches.map(({ code }) => ready.get(code) as GPUComputePipeline);
    context.assertAlive();
    return { arena, staging, pipelines, bindGroups, destroy };
  } catch (error) {
    destroy();
    context.assertAlive();
    throw error;
  }
}
