/**
 * `conformance [--threads 1,2,4]`: the CPU backend under the conformance suite and with the built-in model and the bundled
 * photos, at each number of threads and with a module compiled ahead of time; every value must be the reference backend's.
 * Needs no test runner, so that it runs in any Node. Ends with `N checked, N different`; exit code 1 on a difference.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createReferenceBackend } from '@ivit/backend-reference';
import { reportDifferences } from './conformance/compare.js';
import { checkSubject, expectedOf, precompiled, threaded } from './conformance/cpu-subjects.js';
import type { ModelMaterial } from './conformance/kit-subject.js';
import { modelDigests } from './conformance/model-digests.js';

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url));

function material(): ModelMaterial {
  const folder = join(PACKAGES, 'ivit/photos');
  const names = readdirSync(folder).filter((name) => /\.(jpg|png)$/.test(name));
  return {
    file: readFileSync(join(PACKAGES, 'model-cifar10/model.safetensors')),
    photos: new Map(names.sort().map((name) => [name, readFileSync(join(folder, name))])),
  };
}

const { values } = parseArgs({ options: { threads: { type: 'string', default: '1,2,4' } } });
const subjects = [...values.threads.split(',').map((count) => threaded(Number(count))), ...(await precompiled())];
const models = material();
const digests = await modelDigests(createReferenceBackend(), models.file, models.photos);
let expected: Record<string, string> = {};
let found: Record<string, string> = {};
for (const subject of subjects) {
  const began = performance.now();
  const own = await checkSubject(subject, models);
  console.log(
    `${subject.name}: ${Object.keys(own).length} checked, ${((performance.now() - began) / 1000).toFixed(1)} s`,
  );
  expected = { ...expected, ...expectedOf(subject, digests) };
  found = { ...found, ...own };
}
console.log(`Node ${process.version}, ${process.arch}`);
process.exitCode = reportDifferences(expected, found, (line) => console.log(line));
