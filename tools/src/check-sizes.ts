/**
 * Sizes of what a browser loads to run a program: `node --conditions=@ivit/source --import tsx tools/src/check-sizes.ts`.
 *
 * Bundles `createModel` of `@ivit/runtime` and `createCpuBackend` of `@ivit/backend-cpu` from their sources, as an
 * application would, with each decoder in a file of its own that is loaded when first needed.
 */
import { dirname } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Bytes after gzip. */
export interface Sizes {
  /** Runtime and CPU backend, without decoders. */
  readonly engine: number;
  /** What reading JPEG adds. */
  readonly jpeg: number;
  /** What reading PNG adds. */
  readonly png: number;
  /** Parts of `engine`, each bundled alone; what they share is in both. */
  readonly runtimeAlone: number;
  readonly backendAlone: number;
  /** Runtime and WebGPU backend, without decoders. */
  readonly webgpu: number;
}

/** 1 kB = 1000 bytes. */
export const BUDGET = { engine: 60_000, withJpeg: 130_000 } as const;

const RUNTIME = "export { createModel } from '@ivit/runtime';";
const BACKEND = "export { createCpuBackend } from '@ivit/backend-cpu';";
const WEBGPU = "export { createWebgpuBackend } from '@ivit/backend-webgpu';";

interface Bundle {
  /** gzipped bytes of the entry and of all that it needs at once. */
  readonly initial: number;
  /** gzipped bytes of what a dynamic import of a module with this in its path adds. */
  lazy(part: string): number;
}

async function bundle(contents: string): Promise<Bundle> {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: dirname(fileURLToPath(import.meta.url)), sourcefile: 'entry.ts' },
    bundle: true,
    minify: true,
    splitting: true,
    metafile: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    outdir: 'sizes',
    conditions: ['@ivit/source'],
    logLevel: 'error',
  });
  const outputs = Object.entries(metafile.outputs);
  const size = (path: string): number => {
    const file = outputFiles.find((output) => output.path.endsWith(path));
    if (file === undefined) throw new Error(`esbuild wrote no ${path}`);
    return gzipSync(file.contents, { level: 9 }).length;
  };
  /** The output itself and what it imports statically. */
  const needed = (path: string, seen: Set<string>): Set<string> => {
    if (seen.has(path)) return seen;
    seen.add(path);
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? []) {
      if (kind === 'import-statement') needed(next, seen);
    }
    return seen;
  };
  const total = (paths: Iterable<string>): number => [...paths].reduce((sum, path) => sum + size(path), 0);
  const entry = outputs.find(([, { entryPoint }]) => entryPoint?.endsWith('entry.ts'));
  if (entry === undefined) throw new Error('esbuild wrote no entry');
  const initial = needed(entry[0], new Set());
  return {
    initial: total(initial),
    lazy(part) {
      const found = outputs.filter(([, { entryPoint }]) => entryPoint?.includes(part));
      if (found.length === 0) throw new Error(`nothing of ${part} is loaded lazily`);
      const all = found.reduce((seen, [path]) => needed(path, seen), new Set<string>());
      return total([...all].filter((path) => !initial.has(path)));
    },
  };
}

export async function measureSizes(): Promise<Sizes> {
  const both = await bundle(`${RUNTIME}\n${BACKEND}`);
  const [runtime, backend] = [await bundle(RUNTIME), await bundle(BACKEND)];
  return {
    engine: both.initial,
    jpeg: both.lazy('image/src/jpeg/'),
    png: both.lazy('image/src/png/'),
    runtimeAlone: runtime.initial,
    backendAlone: backend.initial,
    webgpu: (await bundle(`${RUNTIME}\n${WEBGPU}`)).initial,
  };
}

/** What is over budget, in words; empty if nothing is. */
export function overBudget({ engine, jpeg }: Pick<Sizes, 'engine' | 'jpeg'>): string[] {
  const rows = [
    ['runtime and backend-cpu', engine, BUDGET.engine],
    ['the same with the JPEG decoder', engine + jpeg, BUDGET.withJpeg],
  ] as const;
  return rows.flatMap(([what, bytes, most]) => (bytes > most ? [`${what}: ${bytes} bytes, at most ${most}`] : []));
}

/** Prints the sizes; returns what is over budget. */
export async function checkSizes(print: (line: string) => void): Promise<readonly string[]> {
  const sizes = await measureSizes();
  const row = (what: string, bytes: number, most?: number): void => {
    print(`${what.padEnd(34)}${String(bytes).padStart(7)}${most === undefined ? '' : `  of ${most}`}`);
  };
  print('bytes, minified and gzipped');
  row('runtime + backend-cpu', sizes.engine, BUDGET.engine);
  row('  runtime alone', sizes.runtimeAlone);
  row('  backend-cpu alone', sizes.backendAlone);
  row('with the JPEG decoder', sizes.engine + sizes.jpeg, BUDGET.withJpeg);
  row('  JPEG decoder, loaded lazily', sizes.jpeg);
  row('  PNG decoder, loaded lazily', sizes.png);
  row('runtime + backend-webgpu', sizes.webgpu);
  return overBudget(sizes);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const over = await checkSizes((line) => console.log(line));
  for (const line of over) console.error(`over budget: ${line}`);
  process.exitCode = over.length === 0 ? 0 : 1;
}
