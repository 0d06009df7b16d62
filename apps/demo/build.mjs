import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';
import { build } from 'esbuild';
import { generate } from '../../packages/backend-cpu/scripts/build-wasm.mjs';

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url));

function manifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Folders of `ivit` and the packages of this repository that it needs at run time. */
function neededPackages() {
  const folders = new Set();
  const visit = (folder) => {
    if (folders.has(folder)) return;
    folders.add(folder);
    for (const name of Object.keys(manifest(folder).dependencies ?? {})) {
      if (name.startsWith('@ivit/')) visit(join(PACKAGES, name.slice('@ivit/'.length)));
    }
  };
  visit(join(PACKAGES, 'ivit'));
  return [...folders];
}

/** Pairs of a built file and its source in a tree of export conditions. */
function pairs(target) {
  if (typeof target !== 'object') return [];
  const source = target['@ivit/source'];
  if (source === undefined) return Object.values(target).flatMap(pairs);
  if (typeof source === 'string') return [[target.default, source]];
  return Object.entries(source).map(([condition, path]) => [target[condition], path]);
}

/** Output name → source of all that a package's exports, imports and command lead to. */
function entryPoints(folder) {
  const { exports, imports = {}, bin } = manifest(folder);
  const found = pairs({ exports, imports });
  if (bin !== undefined) found.push(['./dist/cli.js', './src/cli.ts']);
  return Object.fromEntries(found.map(([built, source]) => [built.slice('./dist/'.length, -'.js'.length), source]));
}

/** Builds the JavaScript of `ivit` and of all that it needs, without declarations; returns the number of packages. */
export async function buildPackages() {
  const folders = neededPackages();
  await generate(asc, build);
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
        external: ['#*'],
        sourcemap: true,
      }),
    ),
  );
  return folders.length;
}
