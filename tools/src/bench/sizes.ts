import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { IvitError } from '@ivit/program';
import { build, type Metafile } from 'esbuild';
import type { BackendName } from './backend.js';
import { entries, sharedOptions } from './bundle.js';

/** Bytes that a browser has to load; gzip at level 9. */
export interface SizeRow {
  readonly what: string;
  readonly bytes: number;
  readonly gzip: number;
}

function sizeOf(what: string, contents: readonly Uint8Array[]): SizeRow {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
  return {
    what,
    bytes: sum(contents.map((bytes) => bytes.length)),
    gzip: sum(contents.map((bytes) => gzipSync(bytes, { level: 9 }).length)),
  };
}

/** An output and everything it imports statically. */
function closure(outputs: Metafile['outputs'], start: string, found: Set<string> = new Set()): Set<string> {
  if (found.has(start)) return found;
  found.add(start);
  for (const { path, kind } of outputs[start]?.imports ?? []) {
    if (kind === 'import-statement' && outputs[path] !== undefined) closure(outputs, path, found);
  }
  return found;
}

/** Ours as a page would ship it: runtime and backend, the threads' script, and the decoders, which load when needed. */
async function ourSizes(backend: BackendName): Promise<SizeRow[]> {
  const { outputFiles, metafile } = await build({
    ...sharedOptions(backend),
    entryPoints: entries({ ship: backend === 'cpu' ? './ship-cpu.ts' : './ship-reference.ts' }, backend),
    platform: 'browser',
    outdir: 'out',
    write: false,
    metafile: true,
  });
  const { outputs } = metafile;
  const contents = new Map(outputFiles.map((file) => [basename(file.path), file.contents]));
  const bytesOf = (names: Iterable<string>): Uint8Array[] =>
    Array.from(names, (name) => contents.get(basename(name)) ?? new Uint8Array(0));
  const core = closure(outputs, 'out/ship.js');
  const rows = [sizeOf('ivit: runtime and backend', bytesOf(core))];
  const later = (what: string, start: string | undefined): void => {
    // A sum that silently lacks a part would flatter us.
    if (start === undefined) throw new IvitError('E_BENCH', 'The bundle has no such part', { where: what });
    const more = [...closure(outputs, start)].filter((name) => !core.has(name));
    rows.push(sizeOf(what, bytesOf(more)));
  };
  const chunkOf = (source: string): string | undefined =>
    Object.entries(outputs).find(([name, { inputs }]) => {
      return !core.has(name) && Object.keys(inputs).some((input) => input.includes(source));
    })?.[0];
  if (backend === 'cpu') {
    const script = Object.keys(outputs).find((name) => name === 'out/worker.js');
    later('ivit: script of the threads', script);
  }
  later('ivit: JPEG decoder, when needed', chunkOf('image/src/jpeg/steps'));
  later('ivit: PNG decoder, when needed', chunkOf('image/src/png/steps'));
  return rows;
}

/** What onnxruntime-web's users load for its WebAssembly provider; it decodes no images. */
function peerSizes(folder: string): SizeRow[] {
  const files = ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded.mjs', 'ort-wasm-simd-threaded.wasm'];
  const contents = files.map((file) => new Uint8Array(readFileSync(join(folder, file))));
  return [sizeOf(`ort-web: ${files.join(', ')}`, contents)];
}

export async function shippedBytes(
  backend: BackendName,
  webFolder: string,
  models: Readonly<Record<string, string>>,
): Promise<SizeRow[]> {
  const rows = [...(await ourSizes(backend)), ...peerSizes(webFolder)];
  for (const [what, file] of Object.entries(models)) {
    if (statSync(file).isFile()) rows.push(sizeOf(`model: ${what}`, [new Uint8Array(readFileSync(file))]));
  }
  return rows;
}
