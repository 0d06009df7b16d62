/**
 * `npm run demo`: from a fresh clone to a labeled photo. Needs Node 20.19 or newer and npm; installs the run-time
 * packages and a bundler, no more. `npm run demo -- PHOTO` labels a photo of yours.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pnpm, ROOT, requireNode } from './pnpm.mjs';

requireNode();
const FRONT_DOOR = join(ROOT, 'packages/ivit');
const photo = resolve(process.env.INIT_CWD ?? '.', process.argv[2] ?? join(FRONT_DOOR, 'photos/cat.jpg'));

/** `ivit` and the packages of this repository that it needs at run time, by folder. */
function neededPackages() {
  const folders = new Set();
  const visit = (folder) => {
    if (folders.has(folder)) return;
    const { dependencies = {} } = manifest(folder);
    for (const name of Object.keys(dependencies)) {
      if (name.startsWith('@ivit/')) visit(join(ROOT, 'packages', name.slice('@ivit/'.length)));
    }
    folders.add(folder);
  };
  visit(FRONT_DOOR);
  return [...folders];
}

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Output name → source of a package, read off its exports; the command of `ivit` besides. */
function entryPoints(folder) {
  const entries = {};
  for (const target of Object.values(manifest(folder).exports)) {
    if (typeof target === 'object') entries[target.default.replace(/^\.\/dist\/|\.js$/g, '')] = target['@ivit/source'];
  }
  if (existsSync(join(folder, 'src/cli.ts'))) entries.cli = './src/cli.ts';
  return entries;
}

async function buildPackages() {
  // Installed a moment ago, beside the package that asks for it.
  const { build } = await import(pathToFileURL(join(FRONT_DOOR, 'node_modules/esbuild/lib/main.js')).href);
  const folders = neededPackages();
  await Promise.all(
    folders.map((folder) =>
      build({
        absWorkingDir: folder,
        entryPoints: entryPoints(folder),
        outdir: 'dist',
        bundle: true,
        splitting: true,
        format: 'esm',
        platform: 'neutral',
        target: 'es2022',
        packages: 'external',
        sourcemap: true,
      }),
    ),
  );
  return folders.length;
}

const seconds = (from) => `${((performance.now() - from) / 1000).toFixed(2)} s`;

/** Loads the built-in model on one backend and labels the photo. */
async function label(loadModel, backend) {
  const started = performance.now();
  const model = await loadModel('builtin', { backends: [backend] });
  const loaded = performance.now();
  const [best] = await model.classify(photo, { topK: 1 });
  const classified = performance.now();
  const [result] = await model.run([photo]);
  const { info } = model;
  await model.dispose();
  return { best, receipt: result.receipt, info, load: loaded - started, time: classified - loaded };
}

const started = performance.now();
console.log('== install');
const status = await pnpm(['install', '--frozen-lockfile', '--prefer-offline', '--filter', 'ivit...']);
if (status !== 0) process.exit(status);
const installed = performance.now();
console.log(`installed in ${seconds(started)}\n== build`);
console.log(`built ${await buildPackages()} packages in ${seconds(installed)}\n== run`);

const { loadModel, defaultBackends } = await import(pathToFileURL(join(FRONT_DOOR, 'dist/index.js')).href);
const receipts = new Set();
for (const backend of await defaultBackends()) {
  const { best, receipt, info, load, time } = await label(loadModel, backend);
  receipts.add(JSON.stringify(receipt));
  console.log(`photo    ${relative(process.cwd(), photo) || photo}`);
  console.log(`label    ${best.label} (score ${best.score.toFixed(4)}, logit ${best.logit})`);
  console.log(`time     ${(time / 1000).toFixed(2)} s, after ${(load / 1000).toFixed(2)} s to load and self-check`);
  console.log(`backend  ${info.backend.name} ${info.backend.version} on ${info.backend.device}`);
  for (const [key, value] of Object.entries(receipt)) console.log(`${key.padEnd(9)}${value}`);
}
if (receipts.size > 1) {
  console.error('The backends gave different receipts: one of them computes wrongly.');
  process.exitCode = 1;
} else {
  console.log(`done in ${seconds(started)}`);
}
