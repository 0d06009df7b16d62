/**
 * `pnpm webgpu [node] [chromium]`: the WebGPU backend on this machine's adapters, in Node (the package `webgpu`) and in headless
 * Chromium, where nothing is named in both. In each: the conformance suite with `dot4I8Packed` and, for the products, without;
 * the built-in model and the bundled photos, every value compared with the reference backend's. In Node also the package's
 * tests of kernels and failing devices, and `ivit doctor` with the package `webgpu` installed.
 *
 * The adapter is SwiftShader where VK_ICD_FILENAMES (Node) names no other. Without one this fails: nothing is skipped. Ends with
 * `N checked, N different`; exit code 1 on a difference.
 */
import { readFileSync } from 'node:fs';
import { createReferenceBackend } from '@ivit/backend-reference';
import { readModelMaterial } from './browser/cpu-checks.js';
import { bundlePages, inRepository, listMaterial, pageSource } from './browser/material.js';
import { visitPage } from './browser/serve.js';
import { reportDifferences } from './conformance/compare.js';
import { modelDigests } from './conformance/model-digests.js';
import { DOCTOR_EXPECTED, doctorFound } from './webgpu/doctor-check.js';
import { gpuTests } from './webgpu/gpu-tests.js';
import { nodeGpu } from './webgpu/node-gpu.js';
import { checkSubject, expectedOf, webgpuSubjects } from './webgpu/subjects.js';

/** Without the first the adapter is null. */
const FLAGS = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

const named = process.argv.slice(2).filter((argument) => argument !== '--');
const wanted = named.length === 0 ? ['node', 'chromium'] : named;
if (wanted.some((place) => place !== 'node' && place !== 'chromium')) {
  console.error('usage: pnpm webgpu [node] [chromium]');
  process.exit(2);
}

const material = listMaterial();
const models = await readModelMaterial(material, async (path) => new Uint8Array(readFileSync(inRepository(path))));
const digests = await modelDigests(createReferenceBackend(), models.file, models.photos);
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

if (wanted.includes('node')) {
  // Opened first: it names the driver for all that is started.
  const given = await nodeGpu();
  await timed('node: tests of the package', async () => {
    const tests = await gpuTests();
    note('node', tests.expected, tests.found);
  });
  await timed('node: ivit doctor', async () => note('node', DOCTOR_EXPECTED, await doctorFound()));

  for (const subject of webgpuSubjects(given)) {
    await timed(`node: ${subject.name}`, async () => {
      const { info } = given.adapter;
      console.log(`adapter: ${info.vendor} ${info.architecture} ${info.description}`);
      note('node', expectedOf(subject, digests), await checkSubject(subject, models));
    });
  }
}
if (wanted.includes('chromium')) {
  await timed('chromium', async () => {
    const paths = [...material.photos, material.model];
    const visited = await visitPage({
      script: '/scripts/webgpu.js',
      headers: {
        'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'; report-uri /violation",
      },
      scripts: await bundlePages({ webgpu: pageSource('webgpu-page') }),
      material,
      files: new Map(paths.map((path) => [path, inRepository(path)])),
      flags: FLAGS,
    });
    if (visited.error !== undefined) console.log(`FAILED: ${visited.error}`);
    for (const subject of webgpuSubjects({})) note('chromium', expectedOf(subject, digests), {});
    note('chromium', { 'policy broken': '' }, { ...visited.found, 'policy broken': visited.violations.join() });
  });
}
process.exitCode = reportDifferences(expected, found, (line) => console.log(line));
