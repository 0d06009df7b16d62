import { IvitError } from '@ivit/program';
import type { Subject, VariantTask } from '../measure.js';
import { anyPixels, toPlanes } from '../subjects.js';
import { judgePlacement, placementOf } from './placement.js';
import type { WebgpuTask } from './task.js';

interface Session {
  readonly inputNames: readonly string[];
  run(feeds: Readonly<Record<string, unknown>>): Promise<unknown>;
  release(): Promise<void>;
}

/** The part of onnxruntime-web's API that is used here. */
export interface OrtWebgpu {
  readonly env: { logLevel?: string; readonly wasm: { numThreads?: number; wasmPaths?: string } };
  readonly InferenceSession: { create(file: Uint8Array, options: object): Promise<Session> };
  readonly Tensor: new (type: string, data: Float32Array, shape: readonly number[]) => unknown;
}

const SIDE = 224;
const LOGGING = ['log', 'info', 'warn', 'error', 'debug'] as const;

/** What is written to the console in the meantime: onnxruntime's log goes there and nowhere else. */
async function withLog<T>(action: () => Promise<T>): Promise<{ readonly result: T; readonly log: readonly string[] }> {
  const log: string[] = [];
  const before = LOGGING.map((name) => console[name]);
  for (const name of LOGGING) console[name] = (...parts: unknown[]) => void log.push(parts.join(' '));
  try {
    return { result: await action(), log };
  } finally {
    LOGGING.forEach((name, index) => {
      console[name] = before[index] as (typeof console)[typeof name];
    });
  }
}

const OPTIONS = { executionProviders: ['webgpu'], graphOptimizationLevel: 'all' } as const;

/**
 * Says where an instance of onnxruntime-web that talks puts a graph's nodes.
 * @throws IvitError E_BENCH when one of them is not on the GPU
 */
export async function checkPlacement(talking: OrtWebgpu, variant: string, bytes: Uint8Array): Promise<string> {
  talking.env.logLevel = 'verbose';
  const { result: session, log } = await withLog(() =>
    talking.InferenceSession.create(bytes, { ...OPTIONS, logSeverityLevel: 0 }),
  );
  await session.release();
  const { text, onGpu } = judgePlacement(placementOf(log));
  if (onGpu) return text;
  throw new IvitError('E_BENCH', `Not all of it is on the GPU: ${text}`, { where: variant });
}

/** A session on onnxruntime-web's WebGPU provider, with the logits brought back as ours are. */
export async function webgpuPeer(
  ort: OrtWebgpu,
  { variant }: VariantTask,
  bytes: Uint8Array,
  { batch }: WebgpuTask,
  detail: string,
): Promise<Subject> {
  const session = await ort.InferenceSession.create(bytes, OPTIONS);
  const input = new ort.Tensor('float32', toPlanes(anyPixels(batch), batch), [batch, 3, SIDE, SIDE]);
  const feeds = { [session.inputNames[0] ?? 'input']: input };
  return {
    variant,
    detail,
    call: async () => {
      await session.run(feeds);
    },
    dispose: () => session.release(),
  };
}
