/**
 * `pnpm bench [--json] [--out FILE] [--quick] [--only ENVIRONMENT] [--rounds N] [--model FILE]`: our backend against
 * onnxruntime-web and onnxruntime-node on the running Node, Node 24 and Chromium. Speed, cold start, peak memory, bytes
 * to load. What it needs (peers, models) it makes or installs once below `node_modules/.cache`. With `--json` the last
 * line is one JSON object. With `--webgpu` the WebGPU backend is measured instead, in Chromium. Exit code 0, 1 (failed) or 2 (usage). On a shared machine compare ratios of one run only.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { IvitError } from '@ivit/program';
import { type BenchArguments, readArguments, USAGE } from './bench/arguments.js';
import { makeBundles } from './bench/bundle.js';
import { coldStarts } from './bench/cold.js';
import { performIn, RUNNING_NODE } from './bench/environments.js';
import { anyPhoto, modelIdOf, oursFile, type Subjects, subjectsOf, tinyFile } from './bench/material.js';
import { installPeers, type Peers } from './bench/peers.js';
import { derived, placeTable, type Report, summary } from './bench/report.js';
import { commit, machine } from './bench/run-info.js';
import { shippedBytes } from './bench/sizes.js';
import { type Place, type Row, summarize } from './bench/statistics.js';
import { WEBGPU_USAGE } from './bench/webgpu/arguments.js';
import { benchWebgpu } from './bench/webgpu/main.js';

/** Material of all models and batches, made before anything is timed. */
async function prepare(given: BenchArguments, tiny: string, environment: string): Promise<Subjects[]> {
  // onnxruntime-node runs in Node alone.
  const engines = environment === 'chromium' ? (['ort-web'] as const) : (['ort-web', 'ort-node'] as const);
  const all: Subjects[] = [];
  for (const size of given.sizes) {
    for (const batch of given.batches) all.push(await subjectsOf(given.cache, size, batch, tiny, engines));
  }
  return all;
}

interface Measured {
  readonly rows: Row[];
  readonly details: Report['details'][number][];
  readonly engines: Record<string, string>;
}

async function measureAll(given: BenchArguments, tiny: string, peers: Peers, print: (line: string) => void) {
  const measured: Measured = { rows: [], details: [], engines: {} };
  const bundles = await makeBundles(given.cache, given.backend);
  for (const environment of given.environments) {
    for (const { model, batch, variants } of await prepare(given, tiny, environment)) {
      for (const threads of given.threads) {
        const place: Place = { environment, threads, model, batch };
        const task = {
          backend: given.backend,
          threads,
          batch,
          rounds: batch === 1 ? given.rounds : Math.ceil(given.rounds / 2),
          calls: batch === 1 ? 3 : 1,
          ortWeb: peers.web,
          ortNode: peers.node,
          variants,
        };
        const { runs, details, engine } = await performIn(environment, task, given.cache, bundles, peers);
        const rows = variants.map(({ variant, engine: by, precision }): Row => {
          const times = runs[variant] ?? [];
          return { ...place, engine: by, precision, variant, ...summarize(times), runs: times };
        });
        measured.rows.push(...rows);
        measured.details.push({ ...place, details });
        measured.engines[environment] = engine;
        for (const line of placeTable(rows)) print(line);
      }
    }
  }
  return { ...measured, bundles };
}

async function main(): Promise<void> {
  const given = readArguments(process.argv.slice(2));
  mkdirSync(given.cache, { recursive: true });
  const peers = installPeers(given.cache);
  const tiny = await tinyFile(given.cache, given.model);
  const { rows, details, engines, bundles } = await measureAll(given, tiny, peers, (line) => console.log(line));

  const ownNode = given.environments.includes(RUNNING_NODE) && !given.quick;
  const { variants } = await subjectsOf(given.cache, 'tiny', 1, tiny, ['ort-web']);
  const onnx = variants.find(({ variant }) => variant === 'ort-web int8 dynamic')?.file ?? '';
  const cold = !ownNode
    ? []
    : await coldStarts({
        bundles: bundles.node,
        backend: given.backend,
        program: tiny,
        onnx,
        photo: anyPhoto(),
        peers,
        rounds: Math.min(given.rounds, 5),
      });
  const files = { 'deit-tiny, ivit': tiny, 'deit-tiny, int8 dynamic ONNX': onnx };
  const bytes = given.quick ? [] : await shippedBytes(given.backend, peers.webFolder, files);
  const models: Record<string, string> = {};
  for (const size of given.sizes) {
    models[`deit-${size}`] = modelIdOf(await oursFile(given.cache, size, tiny));
  }
  const report: Report = {
    ...derived(rows, { environment: RUNNING_NODE, threads: 1, model: 'deit-tiny', batch: 1 }),
    date: new Date().toISOString(),
    commit: commit(),
    machine: machine(),
    versions: { ...peers.versions, ...engines },
    backend: given.backend,
    models,
    details,
    rows,
    cold,
    bytes,
  };
  for (const line of summary(report)) console.log(line);
  if (given.out !== undefined) writeFileSync(given.out, `${JSON.stringify(report, undefined, 2)}\n`);
  if (given.json) console.log(JSON.stringify(report));
}

const onWebgpu = process.argv.includes('--webgpu');
try {
  if (onWebgpu) await benchWebgpu(process.argv.slice(2));
  else await main();
} catch (error) {
  const usage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const code = IvitError.isInstance(error) ? error.code : usage ? 'E_USAGE' : 'E_BENCH';
  const text = error instanceof Error ? error.message : String(error);
  console.error(`${code}: ${text}${usage ? `\n${onWebgpu ? WEBGPU_USAGE : USAGE}` : ''}`);
  process.exitCode = code === 'E_USAGE' ? 2 : 1;
}
