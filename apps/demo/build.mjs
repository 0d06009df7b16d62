import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

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

/** Output name → source of a package, read off its exports; the command of `ivit` besides. */
function entryPoints(folder) {
  const entries = {};
  for (const target of Object.values(manifest(folder).exports)) {
    if (typeof target === 'object') entries[target.default.replace(/^\.\/dist\/|\.js$/g, '')] = target['@ivit/source'];
  }
  if (existsSync(join(folder, 'src/cli.ts'))) entries.cli = './src/cli.ts';
  return entries;
}

/** Builds the JavaScript of `ivit` and of all that it needs, without declarations; returns the number of packages. */
export async function buildPackages() {
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
