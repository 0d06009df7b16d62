import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { performInBrowser } from '../browser.js';
import { sharedOptions } from '../bundle.js';
import { modelIdOf, tinyFile, webgpuSubjects } from '../material.js';
import { installPeers, type Peers } from '../peers.js';
import { placeTable, table } from '../report.js';
import { commit, machine } from '../run-info.js';
import { type Row, ratioOf, summarize } from '../statistics.js';
import { readWebgpuArguments, type WebgpuArguments } from './arguments.js';
import type { WebgpuResult } from './task.js';

/** Without a GPU the browser's own software adapter, which has to be asked for. */
const FLAGS = {
  software: ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
  hardware: ['--enable-unsafe-webgpu', '--enable-features=Vulkan', '--ignore-gpu-blocklist'],
} as const;

interface BatchReport {
  readonly batch: number;
  /** The peer's median over ours in the same page: above 1 we are faster. Null where it was not measured. */
  readonly ratios: { readonly fp32: number | null; readonly fp16: number | null };
  readonly rows: readonly Row[];
  readonly result: WebgpuResult;
}

async function bundlePage(cache: string): Promise<string> {
  const folder = join(cache, 'bundles', 'webgpu');
  rmSync(folder, { recursive: true, force: true });
  await build({
    ...sharedOptions('cpu'),
    entryPoints: { page: fileURLToPath(new URL('./page.ts', import.meta.url)) },
    outdir: folder,
    platform: 'browser',
  });
  return folder;
}

async function measureBatch(
  given: WebgpuArguments,
  peers: Peers,
  scripts: string,
  tiny: string,
  batch: number,
  first: boolean,
): Promise<BatchReport> {
  const { variants, model } = webgpuSubjects(given.cache, batch, tiny);
  const task = {
    batch,
    rounds: given.rounds,
    calls: given.calls,
    microRuns: first ? given.microRuns : 0,
    ortWeb: '',
    variants,
  };
  const result = await performInBrowser<WebgpuResult>(task, {
    scripts,
    ort: peers.webFolder,
    ortModule: 'ort.webgpu.bundle.min.mjs',
    flags: FLAGS[given.adapter],
  });
  const environment = result.adapter.software ? 'software adapter' : 'GPU';
  const rows = variants.flatMap(({ variant, engine, precision }): Row[] => {
    const runs = result.runs[variant];
    if (runs === undefined) return [];
    return [{ environment, threads: 1, model, batch, engine, precision, variant, ...summarize(runs), runs }];
  });
  const ours = rows.find(({ engine }) => engine === 'ivit');
  const ratio = (precision: 'fp32' | 'fp16'): number | null => {
    const peer = rows.find((row) => row.precision === precision);
    return peer === undefined || ours === undefined ? null : ratioOf(peer, ours, 'median');
  };
  return { batch, ratios: { fp32: ratio('fp32'), fp16: ratio('fp16') }, rows, result };
}

function microTable({ micro }: WebgpuResult): string[] {
  if (micro.length === 0) return [];
  const lines = micro.map(({ name, best, median }) => [`  ${name}`, best.toFixed(1), median.toFixed(1)]);
  return [...table(['  instruction', 'best 10^9 MAC/s', 'median'], lines), ''];
}

/**
 * `pnpm bench --webgpu`: instructions first, then DeiT-Tiny on `backend-webgpu` against onnxruntime-web's WebGPU
 * provider, interleaved in one page of headless Chromium.
 * @throws IvitError E_USAGE, E_PEERS, E_BROWSER, E_BENCH (a peer's node that is not on the GPU)
 */
export async function benchWebgpu(argv: readonly string[]): Promise<void> {
  const given = readWebgpuArguments(argv);
  mkdirSync(given.cache, { recursive: true });
  const peers = installPeers(given.cache);
  const tiny = await tinyFile(given.cache, given.model);
  const scripts = await bundlePage(given.cache);
  const batches: BatchReport[] = [];
  for (const batch of given.batches) {
    const report = await measureBatch(given, peers, scripts, tiny, batch, batches.length === 0);
    const { adapter, details, left } = report.result;
    if (batches.length === 0) {
      const kind = adapter.software ? 'a software adapter: no figure of a GPU' : 'a GPU';
      console.log(`${adapter.vendor} ${adapter.architecture} ${adapter.description}: ${kind}`);
    }
    for (const line of microTable(report.result)) console.log(line);
    for (const line of placeTable(report.rows)) console.log(line);
    for (const [variant, text] of Object.entries({ ...details, ...left })) console.log(`  ${variant}: ${text}`);
    batches.push(report);
  }
  const [first] = batches;
  const report = {
    ratios: Object.fromEntries(batches.map(({ batch, ratios }) => [`batch${batch}`, ratios])),
    date: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    adapter: first?.result.adapter,
    versions: { 'onnxruntime-web': peers.versions['onnxruntime-web'], chromium: first?.result.engine },
    model: modelIdOf(tiny),
    micro: first?.result.micro,
    details: batches.map(({ batch, result }) => ({ batch, details: result.details, left: result.left })),
    rows: batches.flatMap(({ rows }) => rows),
  };
  if (given.out !== undefined) writeFileSync(given.out, `${JSON.stringify(report, undefined, 2)}\n`);
  if (given.json) console.log(JSON.stringify(report));
}
