import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import type { BackendName } from './backend.js';

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/**
 * Entry points by output name. Behind the fast backend's threads stands a script of its own, found beside the one that
 * starts it.
 */
export function entries(files: Readonly<Record<string, string>>, backend: BackendName): Record<string, string> {
  const own = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, here(file)]));
  if (backend === 'reference') return own;
  return { ...own, worker: createRequire(import.meta.url).resolve('@ivit/backend-cpu/worker') };
}

/** esbuild options that all bundles share: sources, not builds, so that what is measured is what is here. */
export function sharedOptions(backend: BackendName): BuildOptions {
  return {
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    conditions: ['@ivit/source'],
    loader: { '.wasm': 'binary' },
    minify: true,
    legalComments: 'none',
    // Without the fast backend nothing of it needs to be there.
    ...(backend === 'reference' ? { external: ['@ivit/backend-cpu'] } : {}),
  };
}

export interface Bundles {
  readonly node: string;
  readonly browser: string;
}

/** Bundles what the measuring processes and pages run: no loader, no transpiling, in the times of any of them. */
export async function makeBundles(cache: string, backend: BackendName): Promise<Bundles> {
  const bundles = { node: join(cache, 'bundles', 'node'), browser: join(cache, 'bundles', 'browser') };
  rmSync(join(cache, 'bundles'), { recursive: true, force: true });
  mkdirSync(bundles.node, { recursive: true });
  // Below node_modules no package.json of ours says that these are modules.
  writeFileSync(join(bundles.node, 'package.json'), '{"type":"module"}\n');
  await build({
    ...sharedOptions(backend),
    entryPoints: entries(
      { task: './node-task.ts', 'cold-ivit': './cold-ivit.ts', 'cold-ort': './cold-ort.ts' },
      backend,
    ),
    outdir: bundles.node,
    platform: 'node',
  });
  await build({
    ...sharedOptions(backend),
    entryPoints: entries({ page: './page-task.ts' }, backend),
    outdir: bundles.browser,
    platform: 'browser',
  });
  return bundles;
}
