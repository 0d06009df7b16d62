/**
 * `pnpm browser`: opens four pages in headless Chromium, each under a Content-Security-Policy that allows the page's own
 * scripts alone, and compares each result with Node's.
 *
 * - no WebAssembly allowed: every image fixture, the bundled photos' labels, a small model quantized; the reference backend
 * - cross-origin isolated: the CPU backend on 1, 2 and 4 threads under the conformance suite, workers found where the backend
 *   looks for them and made by the page, modules compiled ahead of time
 * - not isolated: the CPU backend falls back to one thread
 * - not isolated, models in workers: every kind of photo that a page has; workers that end themselves or never start
 *
 * Prints `N checked, N different`; exit code 1 on a difference or without a browser. CHROMIUM names the program.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createReferenceBackend } from '@ivit/backend-reference';
import { allChecks } from './browser/checks.js';
import {
  cpuExpected,
  defaultChecks,
  isolatedSubjects,
  plainSubjects,
  readModelMaterial,
} from './browser/cpu-checks.js';
import { bundlePages, inRepository, listMaterial, pageSource } from './browser/material.js';
import { type Visited, visitPage } from './browser/serve.js';
import { workerExpected } from './browser/worker-expected.js';
import { reportDifferences } from './conformance/compare.js';
import { modelDigests } from './conformance/model-digests.js';

const NO_WASM = "default-src 'none'; script-src 'self'; connect-src 'self'; report-uri /violation";
/** What a page needs for the CPU backend with threads, and nothing else: no blobs, no eval. */
const STRICT =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; worker-src 'self'; report-uri /violation";
/** Both together give a page SharedArrayBuffer. */
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
/** Where the backend looks for its worker: beside the script that starts it. */
const FOUND_WORKER = '/scripts/worker.js';
const OWN_WORKER = '/own/place.js';

async function bundle(): Promise<ReadonlyMap<string, string>> {
  const scripts = await bundlePages({
    page: pageSource('page'),
    isolated: pageSource('isolated-page'),
    plain: pageSource('plain-page'),
    'worker-page': pageSource('worker-page'),
    dying: pageSource('dying-worker'),
    'model-worker': createRequire(import.meta.url).resolve('ivit/model-worker'),
    worker: createRequire(import.meta.url).resolve('@ivit/backend-cpu/worker'),
  });
  // The worker imports nothing, so that it can lie anywhere.
  return scripts.set(OWN_WORKER, scripts.get(FOUND_WORKER) ?? '');
}

const material = listMaterial();
const read = async (path: string): Promise<Uint8Array> => new Uint8Array(readFileSync(inRepository(path)));
const models = await readModelMaterial(material, read);
const digests = await modelDigests(createReferenceBackend(), models.file, models.photos);
const defaults = await defaultChecks(models);
const scripts = await bundle();
const paths = [...material.images, ...material.photos, material.model];
const files = new Map(paths.map((path) => [path, inRepository(path)]));

const expected: Record<string, string> = {};
const found: Record<string, string> = {};

/** Opens a page and notes what it must find, and what it found, under its name. */
async function check(
  name: string,
  headers: Readonly<Record<string, string>>,
  must: Readonly<Record<string, string>>,
  /** Facts that the server knows. */
  facts: (visited: Visited) => Readonly<Record<string, readonly [found: string, must: string]>>,
): Promise<void> {
  const began = performance.now();
  const visited = await visitPage({ script: `/scripts/${name}.js`, headers, scripts, material, files });
  if (visited.error !== undefined) console.log(`FAILED on page ${name}: ${visited.error}`);
  for (const [key, value] of Object.entries(must)) expected[`${name}: ${key}`] = value;
  for (const [key, value] of Object.entries(visited.found)) found[`${name}: ${key}`] = value;
  for (const [key, [value, wanted]] of Object.entries(facts(visited))) {
    expected[`${name}: ${key}`] = wanted;
    found[`${name}: ${key}`] = value;
  }
  console.log(`${name}: ${Object.keys(must).length} results, ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

const broken = ({ violations }: Visited): string => [...new Set(violations)].sort().join();
const asked = ({ requested }: Visited): string =>
  [FOUND_WORKER, OWN_WORKER].filter((path) => requested.has(path)).join();

await check(
  'page',
  { 'content-security-policy': NO_WASM },
  { ...(await allChecks(material, read)), ...defaults, 'loadModel runs on': 'reference' },
  // Also shows that a broken policy would be seen on the other pages.
  (visited) => ({ 'policy broken': [broken(visited), 'script-src'], workers: [asked(visited), ''] }),
);
await check(
  'isolated',
  { 'content-security-policy': STRICT, ...ISOLATED },
  cpuExpected(
    await isolatedSubjects(() => {
      throw new Error('only pages start workers');
    }),
    defaults,
    digests,
  ),
  (visited) => ({
    'policy broken': [broken(visited), ''],
    workers: [asked(visited), `${FOUND_WORKER},${OWN_WORKER}`],
  }),
);
await check(
  'plain',
  { 'content-security-policy': STRICT },
  cpuExpected(plainSubjects(), defaults, digests),
  (visited) => ({ 'policy broken': [broken(visited), ''], workers: [asked(visited), ''] }),
);
await check('worker-page', { 'content-security-policy': STRICT }, await workerExpected(material, read), (visited) => ({
  'policy broken': [broken(visited), ''],
  'script of the worker': [String(visited.requested.has('/scripts/model-worker.js')), 'true'],
}));
process.exitCode = reportDifferences(expected, found, (line) => console.log(line));
