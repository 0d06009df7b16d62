import { readProgram } from '@ivit/formats/program';
import { IvitError, validate } from '@ivit/program';
import { createBackend } from './backend.js';
import { type Subject, type Task, type TaskResult, takeTurns, type VariantTask } from './measure.js';

interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, { readonly data: ArrayLike<number> }>>>;
  release(): Promise<void>;
}

/** The part of onnxruntime's API that is used here; the packages are no dependencies of ours. */
export interface Ort {
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: string } };
  readonly InferenceSession: { create(file: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (type: string, data: Float32Array, shape: readonly number[]) => unknown;
}

const SIDE = 224;

/** Pixels of no meaning; what they are does not matter to the time. */
export function anyPixels(batch: number): Uint8Array {
  let state = 12345;
  return Uint8Array.from({ length: batch * SIDE * SIDE * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

/** Interleaved pixels to normalized float planes, as the peers take them. */
export function toPlanes(pixels: Uint8Array, batch: number): Float32Array {
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ] as const;
  const area = SIDE * SIDE;
  const planes = new Float32Array(batch * 3 * area);
  for (let at = 0; at < planes.length; at += 1) {
    const color = Math.floor(at / area) % 3;
    const pixel = pixels[(Math.floor(at / (3 * area)) * area + (at % area)) * 3 + color] ?? 0;
    planes[at] = (pixel / 255 - (mean[color] ?? 0)) / (deviation[color] ?? 1);
  }
  return planes;
}

async function ours({ variant }: VariantTask, bytes: Uint8Array, task: Task): Promise<Subject> {
  const backend = await createBackend(task.backend, task.threads);
  const executable = await backend.compile(validate(readProgram(bytes)), { maxBatch: task.batch });
  const { batch } = task;
  const pixels = anyPixels(batch);
  const { info } = executable;
  return {
    variant,
    detail: `${info.backend} ${info.variant}, threads ${info.threads}, ${info.bytes} bytes`,
    call: async () => {
      await executable.run(pixels, { batch });
    },
    dispose: () => executable.dispose(),
  };
}

/** A session of onnxruntime with all graph optimizations and no other threads than asked for. */
export async function openOrt(
  ort: Ort,
  provider: 'wasm' | 'cpu',
  bytes: Uint8Array,
  threads: number,
): Promise<OrtSession> {
  if (provider === 'wasm') ort.env.wasm.numThreads = threads;
  return ort.InferenceSession.create(bytes, {
    executionProviders: [provider],
    graphOptimizationLevel: 'all',
    // onnxruntime-web takes its number of threads from `env` instead.
    ...(provider === 'cpu' ? { intraOpNumThreads: threads, interOpNumThreads: 1 } : {}),
  });
}

async function peer(ort: Ort, task: VariantTask, bytes: Uint8Array, { threads, batch }: Task): Promise<Subject> {
  const provider = task.engine === 'ort-web' ? 'wasm' : 'cpu';
  const session = await openOrt(ort, provider, bytes, threads);
  const input = new ort.Tensor('float32', toPlanes(anyPixels(batch), batch), [batch, 3, SIDE, SIDE]);
  const feeds = { [session.inputNames[0] ?? 'input']: input };
  return {
    variant: task.variant,
    detail: `${provider}, threads ${provider === 'wasm' ? ort.env.wasm.numThreads : threads}`,
    call: async () => {
      await session.run(feeds);
    },
    dispose: () => session.release(),
  };
}

export interface Surroundings {
  readonly engine: string;
  read(file: string): Promise<Uint8Array>;
  loadOrt(url: string): Promise<Ort>;
}

/** Prepares all variants of a task and lets them take turns. */
export async function perform(task: Task, surroundings: Surroundings): Promise<TaskResult> {
  const { engine, read, loadOrt } = surroundings;
  const subjects: Subject[] = [];
  for (const variant of task.variants) {
    const bytes = await read(variant.file);
    if (variant.engine === 'ivit') subjects.push(await ours(variant, bytes, task));
    else {
      const ort = await loadOrt(variant.engine === 'ort-web' ? task.ortWeb : task.ortNode);
      subjects.push(await peer(ort, variant, bytes, task));
    }
  }
  if (subjects.length === 0) throw new IvitError('E_BENCH', 'There is nothing to measure');
  const runs = await takeTurns(subjects, task.rounds, task.calls);
  const details = Object.fromEntries(subjects.map(({ variant, detail }) => [variant, detail]));
  for (const subject of subjects) await subject.dispose();
  return { runs, details, engine };
}
