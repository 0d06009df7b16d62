/**
 * `npm run demo`: from a fresh clone to a labeled photo. Needs Node 20.19 or newer and npm; installs the run-time
 * packages and a bundler, no more. `npm run demo -- PHOTO` labels a photo of yours.
 */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pnpm, ROOT, requireNode } from './pnpm.mjs';

/** Whether everything is installed already, for development: then nothing of it must be taken away. */
function isFullyInstalled() {
  try {
    const state = JSON.parse(readFileSync(join(ROOT, 'node_modules/.modules.yaml'), 'utf8'));
    return state.included.devDependencies === true;
  } catch {
    return false;
  }
}

requireNode();
const started = performance.now();
const since = (from) => `${((performance.now() - from) / 1000).toFixed(1)} s`;

console.log('== install');
const scope = isFullyInstalled() ? [] : ['--prod', '--filter', '@ivit/demo...'];
const status = await pnpm(['install', '--frozen-lockfile', '--prefer-offline', '--reporter=append-only', ...scope]);
if (status !== 0) process.exit(status);
console.log(`installed in ${since(started)}\n\n== build`);

const building = performance.now();
const { buildPackages } = await import('../apps/demo/build.mjs');
console.log(`built ${await buildPackages()} packages in ${since(building)}\n\n== run`);

const { labelPhoto, PHOTOS } = await import('../apps/demo/label.mjs');
const [named] = process.argv.slice(2);
const photos = named === undefined ? PHOTOS : [resolve(process.env.INIT_CWD ?? '.', named)];
let agreed = true;
for (const photo of photos) {
  try {
    agreed = (await labelPhoto(photo)) && agreed;
  } catch (error) {
    // A coded error says what is wrong with the photo; its stack says nothing to whoever named it.
    if (!/^E_/.test(error?.code)) throw error;
    console.error(`${error.code}: ${error.message}`);
    process.exit(1);
  }
  console.log();
}
if (agreed) {
  console.log(`done in ${since(started)}`);
} else {
  console.error('The backends gave different receipts: one of them computes wrongly.');
  process.exitCode = 1;
}
