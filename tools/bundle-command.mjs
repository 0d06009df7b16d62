/**
 * For tests that start a command many times: its sources in one place, so that a start takes as long as it would from a
 * built package. Starting them one by one, each through a loader, takes three times as long.
 */
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const CACHE = fileURLToPath(new URL('../node_modules/.cache', import.meta.url));

/** Modules find the files beside them where their source is, not where the bundle is. The entry may start itself again. */
function keepPlaces(entry) {
  return {
    name: 'keep-places',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        const place = JSON.stringify(pathToFileURL(path).href);
        return { loader: 'ts', contents: path === entry ? text : text.replaceAll('import.meta.url', place) };
      });
    },
  };
}

/** Bundles a command from the sources. Resolves to the file to start and the folder to remove afterwards. */
export async function bundleCommand(entry) {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'command-'));
  await build({
    entryPoints: [entry],
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    conditions: ['@ivit/source'],
    external: ['webgpu'],
    plugins: [keepPlaces(entry)],
    logLevel: 'error',
  });
  return { folder, file: join(folder, basename(entry).replace(/ts$/, 'mjs')) };
}
