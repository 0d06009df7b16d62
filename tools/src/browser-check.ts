/**
 * `pnpm browser [PAGE]… [--golden MODEL]…`: opens five pages (or those named) in headless Chromium, each under a
 * Content-Security-Policy that allows the page's own scripts alone, and compares each result with Node's.
 *
 * - page: no WebAssembly allowed: every image fixture, the bundled photos' labels, a small model quantized; the reference backend
 * - isolated: cross-origin isolated; the CPU backend on 1, 2 and 4 threads under the conformance suite, workers found where the backend
 *   looks for them and made by the page, modules compiled ahead of time
 * - plain: not isolated; the CPU backend falls back to one thread
 * - worker-page: not isolated, models in workers; every kind of photo that a page has; workers that end themselves or never start
 * - golden: cross-origin isolated; models of the original implementation on 1, 2 and 4 threads, against their own vectors:
 *   tiny_vit, tiny_vit_digits and, beside `../shared`, tiny_swin where `--golden` names none
 *
 * Prints `N checked, N different`; exit code 1 on a difference or without a browser, 2 for wrong usage. CHROMIUM names the program.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createReferenceBackend } from '@ivit/backend-reference';
import { type Arguments, type PageName, readArguments, USAGE } from './browser/arguments.js';
import { allChecks } from './browser/checks.js';
import {
  cpuExpected,
  defaultChecks,
  isolatedSubjects,
  plainSubjects,
  readModelMaterial,
} from './browser/cpu-checks.js';
import { cpuGoldenExpected, type GoldenMaterial } from './browser/golden-checks.js';
import { bundlePages, inRepository, listMaterial, pageSource } from './browser/material.js';
import { type Visited, visitPage } from './browser/serve.js';
import { workerExpected } from './browser/worker-expected.js';
import { reportDifferences } from './conformance/compare.js';
import { modelDigests } from './conformance/model-digests.js';
import { goldenFiles, goldenFolders } from './webgpu/golden-files.js';
import { goldenPath } from './webgpu/page-material.js';

const NO_WASM = "default-src 'none'; script-src 'self'; connect-src 'self'; report-uri /violation";
/** What a page needs for the CPU backend with threads, and nothing else: no blobs, no eval. */
const STRICT =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; report-uri /violation";
/** Both together give a page SharedArrayBuffer. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
/** Where the backend looks for its worker: beside the script that starts it. */
const FOUND_WORKER = '/scripts/worker.js';
const OWN_WORKER = '/own/place.js';

function readOrExit(): Arguments {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return process.exit(2);
  }
}

async function bundle(): Promise<ReadonlyMap<string, string>> {
  const scripts = await bundlePages({
    page: pageSource('page'),
    isolated: pageSource('isolated-page'),
    plain: pageSource('plain-page'),
    'worker-page': pageSource('worker-page'),
    golden: pageSource('golden-page'),
    dying: pageSource('dying-worker'),
    'model-worker': createRequire(import.meta.url).resolve('ivit/model-worker'),
    worker: createRequire(import.meta.url).resolve('@ivit/backend-cpu/worker'),
  });
  // The worker imports nothing, so that it can lie anywhere.
  return scripts.set(OWN_WORKER, scripts.get(FOUND_WORKER) ?? '');
}

const { pages, golden } = readOrExit();
const goldenModels = pages.includes('golden') ? goldenFiles(golden) : [];
const material: GoldenMaterial = { ...listMaterial(), golden: goldenModels };
const read = async (path: string): Promise<Uint8Array> => new Uint8Array(readFileSync(inRepository(path)));
const models = await readModelMaterial(material, read);
const scripts = await bundle();

/** Where the files below `/files/` are. */
function servedFiles(): ReadonlyMap<string, string> {
  const paths = [...material.images, ...material.photos, material.model];
  const own = paths.map((path) => [path, inRepository(path)] as const);
  const theirs = goldenModels.flatMap(({ name, path, files }) =>
    files.map((file) => [goldenPath(name, file), join(path, file)] as const),
  );
  return new Map([...own, ...theirs]);
}

const files = servedFiles();

const expected: Record<string, string> = {};
const found: Record<string, string> = {};

interface Page {
  readonly headers: Readonly<Record<string, string>>;
  /** What it must find. */
  must(): Promise<Readonly<Record<string, string>>>;
  /** Facts that the server knows, and what they must be. */
  facts(visited: Visited): Readonly<Record<string, readonly [found: string, must: string]>>;
}

/** Opens a page and notes what it must find, and what it found, under its name. */
async function check(name: PageName, { headers, must, facts }: Page): Promise<void> {
  const began = performance.now();
  const wanted = Object.entries(await must());
  const visited = await visitPage({ script: `/scripts/${name}.js`, headers, scripts, material, files });
  if (visited.error !== undefined) console.log(`FAILED on page ${name}: ${visited.error}`);
  for (const [key, value] of wanted) expected[`${name}: ${key}`] = value;
  for (const [key, value] of Object.entries(visited.found)) found[`${name}: ${key}`] = value;
  for (const [key, [value, fact]] of Object.entries(facts(visited))) {
    expected[`${name}: ${key}`] = fact;
    found[`${name}: ${key}`] = value;
  }
  console.log(`${name}: ${wanted.length} results, ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

const broken = ({ violations }: Visited): string => [...new Set(violations)].sort().join();
const asked = ({ requested }: Visited): string =>
  [FOUND_WORKER, OWN_WORKER].filter((path) => requested.has(path)).join();

let known: Promise<Parameters<typeof cpuExpected>[2]> | undefined;
/** What the pages of the CPU backend find of a subject's models and of `loadModel`. */
async function expectedOf(subjects: Parameters<typeof cpuExpected>[0]): Promise<Record<string, string>> {
  known ??= modelDigests(createReferenceBackend(), models.file, models.photos);
  return cpuExpected(subjects, await defaultChecks(models), await known);
}

const PAGE_CHECKS: Readonly<Record<PageName, Page>> = {
  page: {
    headers: { 'content-security-policy': NO_WASM },
    must: async () => ({
      ...(await allChecks(material, read)),
      ...(await defaultChecks(models)),
      'loadModel runs on': 'reference',
    }),
    // Also shows that a broken policy would be seen on the other pages.
    facts: (visited) => ({ 'policy broken': [broken(visited), 'script-src'], workers: [asked(visited), ''] }),
  },
  isolated: {
    headers: { 'content-security-policy': STRICT, ...ISOLATED },
    must: async () =>
      expectedOf(
        await isolatedSubjects(() => {
          throw new Error('only pages start workers');
        }),
      ),
    facts: (visited) => ({
      'policy broken': [broken(visited), ''],
      workers: [asked(visited), `${FOUND_WORKER},${OWN_WORKER}`],
    }),
  },
  plain: {
    headers: { 'content-security-policy': STRICT },
    must: async () => expectedOf(plainSubjects()),
    facts: (visited) => ({ 'policy broken': [broken(visited), ''], workers: [asked(visited), ''] }),
  },
  'worker-page': {
    headers: { 'content-security-policy': STRICT },
    must: async () => workerExpected(material, read),
    facts: (visited) => ({
      'policy broken': [broken(visited), ''],
      'script of the worker': [String(visited.requested.has('/scripts/model-worker.js')), 'true'],
    }),
  },
  golden: {
    headers: { 'content-security-policy': STRICT, ...ISOLATED },
    must: async () => cpuGoldenExpected(goldenFolders(goldenModels)),
    facts: (visited) => ({ 'policy broken': [broken(visited), ''], workers: [asked(visited), FOUND_WORKER] }),
  },
};

for (const page of pages) await check(page, PAGE_CHECKS[page]);
process.exitCode = reportDifferences(expected, found, (line) => console.log(line));
