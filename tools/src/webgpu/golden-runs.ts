/** Golden models of the original implementation on the WebGPU backend, in Node and in a page alike. Uses nothing of Node. */
import { createWebgpuBackend, type WebgpuBackendOptions } from '@ivit/backend-webgpu';
import type { GoldenSubject } from '../vectors/golden-checks.js';

/** How golden models are run. */
export interface GoldenChoice {
  /** With `dot4I8Packed`, or without. */
  readonly packed: readonly boolean[];
  readonly batches: readonly number[];
}

/** Every path in every batch. @param options of the backends; nothing where none of them runs */
export function goldenSubjects({ packed, batches }: GoldenChoice, options?: WebgpuBackendOptions): GoldenSubject[] {
  return packed.flatMap((own) =>
    batches.map((batch) => ({
      name: `${own ? 'webgpu' : 'webgpu, plain'}, batch ${batch}`,
      create: () => createWebgpuBackend({ ...options, packed: own }),
      batch,
    })),
  );
}
