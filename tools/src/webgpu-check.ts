/**
 * `pnpm webgpu [node] [chromium] …`: the WebGPU backend on this machine's adapters, in Node (the package `webgpu`) and in headless
 * Chromium, where nothing is named in both. In each, with `dot4I8Packed` and without (`--path`):
 *
 * - `kit`: the conformance suite, of which the second repeats what differs, or everything with `--whole`; the built-in model and
 *   the bundled photos, and small models of every recipe, each value compared with the reference backend's;
 * - `golden`: models of the original implementation (`--golden`; tiny_vit and, beside `../shared`, tiny_swin where none is named) in
 *   batches of 1 and 4 (`--batch`), with every value kept and with the output alone.
 *
 * Node, its tests and Chromium run side by side: most of the time goes into compiling shaders, which takes one core each.
 *
 * In Node also `tests`, the package's tests of kernels and failing devices, and `doctor`: `ivit doctor` with the package `webgpu`
 * installed. `--part` names some of the four.
 *
 * The adapter is SwiftShader where VK_ICD_FILENAMES (Node) names no other. Without one this fails: nothing is skipped. Ends with
 * `N checked, N different`; exit code 1 on a difference, 2 for wrong usage.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createReferenceBackend } from '@ivit/backend-reference';
import { readModelMaterial } from './browser/cpu-checks.js';
import { bundlePages, inRepository, listMaterial, pageSource } from './browser/material.js';
import { visitPage } from './browser/serve.js';
import { reportDifferences } from './conformance/compare.js';
import { modelDigests } from './conformance/model-digests.js';
import { goldenExpected, goldenFound } from './vectors/golden-checks.js';
import { type Arguments, readArguments, USAGE } from './webgpu/arguments.js';
import { DOCTOR_EXPECTED, doctorFound } from './webgpu/doctor-check.js';
import { goldenFiles, goldenFolders } from './webgpu/golden-files.js';
import { goldenSubjects } from './webgpu/golden-runs.js';
import { gpuTests } from './webgpu/gpu-tests.js';
import { nodeGpu } from './webgpu/node-gpu.js';
import { goldenPath, type PageMaterial } from './webgpu/page-material.js';
import { recipeDigests } from './webgpu/recipe-digests.js';
import { checkSubject, expectedOf, webgpuSubjects } from './webgpu/subjects.js';

/** Without the first the adapter is null. */
const FLAGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
/** Milliseconds that the page may take: large models take long on a software adapter. */
const TIME_LIMIT = 3_600_000;

function readOrExit(): Arguments {
  try {
    return readArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return process.exit(2);
  }
}

const { places, parts, packed, golden, batches, whole } = readOrExit();
const material = listMaterial();
const models = await readModelMaterial(material, async (path) => new Uint8Array(readFileSync(inRepository(path))));
const kit = parts.includes('kit');
const reference = createReferenceBackend();
const digests = {
  builtIn: kit ? await modelDigests(reference, models.file, models.photos) : {},
  recipes: kit ? await recipeDigests(reference) : {},
};
const goldenModels = parts.includes('golden') ? goldenFiles(golden) : [];
const folders = goldenFolders(goldenModels);
const choice = { packed, batches };
const page: PageMaterial = { ...material, parts, choice, whole, golden: goldenModels };
const expected: Record<string, string> = {};
const found: Record<string, string> = {};

function note(place: string, must: Readonly<Record<string, string>>, got: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(must)) expected[`${place}: ${key}`] = value;
  for (const [key, value] of Object.entries(got)) found[`${place}: ${key}`] = value;
}

async function timed(name: string, task: () => Promise<void>): Promise<void> {
  const began = performance.now();
  await task();
  console.log(`${name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

async function inNode(): Promise<void> {
  // Opened first: it names the driver for all that is started.
  const given = await nodeGpu();
  const { info } = given.adapter;
  console.log(`adapter: ${info.vendor} ${info.architecture} ${info.description}`);
  if (parts.includes('doctor')) {
    await timed('node: ivit doctor', async () => note('node', DOCTOR_EXPECTED, await doctorFound()));
  }
  if (parts.includes('golden')) {
    const tell = (line: string): void => console.log(`node: ${line}`);
    const subjects = goldenSubjects(choice, given);
    note('node', await goldenExpected(folders, subjects), await goldenFound(folders, subjects, { tell }));
  }
  if (!kit) return;
  for (const subject of webgpuSubjects(given, page)) {
    await timed(`node: ${subject.name}`, async () => {
      note('node', expectedOf(subject, digests), await checkSubject(subject, models));
    });
  }
}

async function testsInNode(): Promise<void> {
  const tests = await gpuTests();
  note('node', tests.expected, tests.found);
}

/** Files below `/files/`: what the page asks for, and where it is. */
function servedFiles(): ReadonlyMap<string, string> {
  const own = [...material.photos, material.model].map((path) => [path, inRepository(path)] as const);
  const theirs = goldenModels.flatMap(({ name, path, files }) =>
    files.map((file) => [goldenPath(name, file), join(path, file)] as const),
  );
  return new Map([...own, ...theirs]);
}

async function inChromium(): Promise<void> {
  const visited = await visitPage({
    script: '/scripts/webgpu.js',
    headers: {
      'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'; report-uri /violation",
    },
    scripts: await bundlePages({ webgpu: pageSource('webgpu-page') }),
    material: page,
    files: servedFiles(),
    flags: FLAGS,
    timeLimit: TIME_LIMIT,
  });
  if (visited.error !== undefined) console.log(`FAILED: ${visited.error}`);
  if (parts.includes('golden')) note('chromium', await goldenExpected(folders, goldenSubjects(choice)), {});
  if (kit) {
    for (const subject of webgpuSubjects({}, page)) note('chromium', expectedOf(subject, digests), {});
  }
  note('chromium', { 'policy broken': '' }, { ...visited.found, 'policy broken': visited.violations.join() });
}

const running = [
  ...(places.includes('node') && parts.includes('tests') ? [timed('node: tests of the package', testsInNode)] : []),
  ...(places.includes('node') ? [timed('node', inNode)] : []),
  ...(places.includes('chromium') ? [timed('chromium', inChromium)] : []),
];
// What fails in one place must not leave the other's processes behind.
for (const outcome of await Promise.allSettled(running)) if (outcome.status === 'rejected') throw outcome.reason;
process.exitCode = reportDifferences(expected, found, (line) => console.log(line));
