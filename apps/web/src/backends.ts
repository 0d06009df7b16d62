import { large } from './format.js';

/** How a loaded backend runs. */
interface HowItRuns {
  readonly variant: string;
  readonly threads: number;
  readonly device: string;
}

/** What the page knows of a backend before it is tried. */
export interface BackendChoice {
  /** As the worker knows it. */
  readonly name: string;
  readonly title: string;
  readonly what: string;
  describe(how: HowItRuns): string;
  /**
   * Why it is not run by itself, although it could be; undefined where it is.
   *
   * @param macs multiply-accumulates of the model, 0 where they are not known yet
   */
  hesitate?(macs: number): Promise<string | undefined>;
}

/** Above so many multiply-accumulates the reference takes minutes. */
const PATIENT_MACS = 400_000_000;

/** In the order in which they run. A backend is loaded in its worker when it is first used. */
export const BACKENDS: readonly BackendChoice[] = [
  {
    name: 'cpu',
    title: 'CPU',
    what: 'WebAssembly SIMD',
    describe: ({ variant, threads }) => `${variant}, ${threads === 1 ? 'one thread' : `${threads} threads`}`,
  },
  {
    name: 'webgpu',
    title: 'WebGPU',
    what: 'integer shaders',
    describe: ({ variant, device }) => `${variant}, ${device}`,
    async hesitate() {
      const { createWebgpuBackend } = await import('@ivit/backend-webgpu');
      const probe = await createWebgpuBackend().probe();
      if (!probe.available || !probe.features.includes('software')) return undefined;
      return `WebGPU is done in software here (${probe.device}), which is slow.`;
    },
  },
  {
    name: 'reference',
    title: 'Reference',
    what: 'plain TypeScript, the slow truth',
    describe: ({ variant }) => `${variant}, the slow truth`,
    async hesitate(macs) {
      return macs > PATIENT_MACS ? `${large(macs)} multiply-accumulates take it long.` : undefined;
    },
  },
];
