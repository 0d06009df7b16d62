import { littleEndianBytes } from '@ivit/program';
import { viewBytes } from '@ivit/tensor';
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { DevicePlan, PlacedValue } from '../plan/plan-program.js';
import type { DeviceContext } from './context.js';
import { COPY_DST, MAP_READ, READ_MODE } from './flags.js';
import type { Resources } from './resources.js';
import { encodeDispatch, readBack, upload } from './run-images.js';
import { scoped } from './scoped.js';

/** Bytes read back at once, where one value does not need more. */
const CHUNK_BYTES = 4194304;

const bytesOf = ({ imageWords }: PlacedValue): number => imageWords * 4;

/** Dispatches from `first` on whose values fit one chunk. */
function chunkEnd(plan: DevicePlan, first: number, size: number): number {
  let bytes = 0;
  let end = first;
  for (const { result, whole } of plan.dispatches.slice(first)) {
    bytes += whole ? bytesOf(result) : 0;
    if (bytes > size && end > first) break;
    end += 1;
  }
  return end;
}

/**
 * One image, with the sha256 of every value that the dispatches make whole, in op order.
 *
 * @throws as `runImages`
 */
export async function* traceImage(
  context: DeviceContext,
  plan: DevicePlan,
  resources: Resources,
  pixels: Uint8Array<ArrayBuffer>,
): AsyncIterable<{ readonly value: string; readonly digest: string }> {
  context.assertAlive();
  const { device } = context;
  const { arena } = resources;
  const size = plan.dispatches.reduce((most, { result }) => Math.max(most, bytesOf(result)), CHUNK_BYTES);
  const staging = await scoped(device, 'making a buffer for the trace', () =>
    device.createBuffer({ size, usage: MAP_READ | COPY_DST }),
  );
  try {
    for (let first = 0; first < plan.dispatches.length; ) {
      context.assertAlive();
      const end = chunkEnd(plan, first, size);
      const start = first;
      const copied: { readonly value: PlacedValue; readonly at: number }[] = [];
      let mapping: Promise<undefined> = Promise.resolve(undefined);
      const submitted = scoped(device, 'tracing the program', () => {
        if (start === 0) upload(context, plan, arena, pixels);
        const encoder = device.createCommandEncoder();
        let at = 0;
        for (const [offset, dispatch] of plan.dispatches.slice(start, end).entries()) {
          const pass = encoder.beginComputePass();
          encodeDispatch(pass, resources, start + offset, dispatch, 1);
          pass.end();
          if (!dispatch.whole) continue;
          const value = dispatch.result;
          encoder.copyBufferToBuffer(arena, value.base * 4, staging, at, bytesOf(value));
          copied.push({ value, at });
          at += bytesOf(value);
        }
        device.queue.submit([encoder.finish()]);
        mapping = staging.mapAsync(READ_MODE);
        mapping.catch(() => undefined);
      });
      const entries: { readonly value: string; readonly digest: string }[] = [];
      await readBack(context, staging, size, submitted, mapping, (bytes) => {
        for (const { value, at } of copied) {
          const data = viewBytes(value.dtype, bytes, at, value.count);
          entries.push({ value: value.value, digest: bytesToHex(sha256(littleEndianBytes(data))) });
        }
      });
      yield* entries;
      first = end;
    }
  } finally {
    staging.destroy();
  }
}
