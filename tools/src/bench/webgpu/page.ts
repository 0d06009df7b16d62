/** What the page of `pnpm bench --webgpu` runs: the task fetched from its own server, which gets the result. */
import { readProgram } from '@ivit/formats/program';
import { IvitError, validate } from '@ivit/program';
import { type Subject, takeTurns, type VariantTask } from '../measure.js';
import { anyPixels } from '../subjects.js';
import { measureInstructions } from './micro.js';
import { checkPlacement, type OrtWebgpu, webgpuPeer } from './peer.js';
import type { AdapterReport, WebgpuResult, WebgpuTask } from './task.js';

/** Workgroups in flight: enough for any GPU; a software adapter needs no more than its threads. */
const GROUPS = { software: 64, hardware: 8192 };

async function readAdapter(): Promise<{ gpu: GPU; adapter: GPUAdapter; report: AdapterReport }> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  const gpu = navigator?.gpu;
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (!gpu || !adapter) throw new IvitError('E_BENCH', 'This browser gives no WebGPU adapter');
  const { vendor, architecture, description } = adapter.info;
  const software =
    adapter.info.isFallbackAdapter || /swiftshader|llvmpipe|lavapipe/i.test(`${architecture} ${description}`);
  return {
    gpu,
    adapter,
    report: { vendor, architecture, description, software, features: [...adapter.features].sort() },
  };
}

async function ours({ variant }: VariantTask, bytes: Uint8Array, { batch }: WebgpuTask): Promise<Subject> {
  const { createWebgpuBackend } = await import('@ivit/backend-webgpu');
  const executable = await createWebgpuBackend().compile(validate(readProgram(bytes)), { maxBatch: batch });
  const pixels = anyPixels(batch);
  const { info } = executable;
  return {
    variant,
    detail: `${info.backend} ${info.variant}, ${info.bytes} bytes`,
    call: async () => {
      await executable.run(pixels, { batch });
    },
    dispose: () => executable.dispose(),
  };
}

async function loadOrt(url: string): Promise<OrtWebgpu> {
  const ort: OrtWebgpu = await import(url);
  ort.env.wasm.wasmPaths = new URL('/ort/', import.meta.url).href;
  ort.env.wasm.numThreads = 1;
  return ort;
}

async function measure(task: WebgpuTask): Promise<WebgpuResult> {
  const { gpu, adapter, report } = await readAdapter();
  const requiredFeatures = (['shader-f16'] as const).filter((name) => adapter.features.has(name));
  const device = await adapter.requestDevice({ requiredFeatures });
  const groups = report.software ? GROUPS.software : GROUPS.hardware;
  const micro = task.microRuns === 0 ? [] : await measureInstructions(gpu, device, groups, task.microRuns);
  device.destroy();

  const left: Record<string, string> = {};
  const subjects: Subject[] = [];
  for (const variant of task.variants) {
    if (variant.variant.includes('fp16') && requiredFeatures.length === 0) {
      left[variant.variant] = 'the adapter has no shader-f16';
      continue;
    }
    const bytes = new Uint8Array(await (await fetch(variant.file)).arrayBuffer());
    if (variant.engine === 'ivit') subjects.push(await ours(variant, bytes, task));
    else {
      // Two instances: the one that is measured does not write a log.
      const placed = await checkPlacement(await loadOrt(`${task.ortWeb}?talking`), variant.variant, bytes);
      subjects.push(await webgpuPeer(await loadOrt(task.ortWeb), variant, bytes, task, placed));
    }
  }
  const runs = await takeTurns(subjects, task.rounds, task.calls);
  const details = Object.fromEntries(subjects.map(({ variant, detail }) => [variant, detail]));
  for (const subject of subjects) await subject.dispose();
  return { adapter: report, micro, runs, details, left, engine: '' };
}

async function report(): Promise<unknown> {
  try {
    const task = (await (await fetch('/task.json')).json()) as WebgpuTask;
    return { result: await measure(task) };
  } catch (error) {
    return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

await fetch('/result', { method: 'POST', body: JSON.stringify(await report()) });
