import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Material } from './checks.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Absolute path of a file of the repository. */
export const inRepository = (path: string): string => join(ROOT, path);

/** What pages check, as paths of the repository. */
export function listMaterial(): Material {
  const list = (folder: string): string[] =>
    readdirSync(inRepository(folder))
      .filter((name) => /\.(jpg|png)$/.test(name))
      .sort()
      .map((name) => `${folder}/${name}`);
  return {
    images: list('packages/image/test/fixtures'),
    photos: list('packages/ivit/photos'),
    model: 'packages/model-cifar10/model.safetensors',
  };
}

/** Scripts of pages by the paths they are served under, bundled from our sources. */
export async function bundlePages(entryPoints: Readonly<Record<string, string>>): Promise<Map<string, string>> {
  const { outputFiles } = await build({
    entryPoints: { ...entryPoints },
    bundle: true,
    write: false,
    splitting: true,
    outdir: '/scripts',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@ivit/source'],
  });
  return new Map(outputFiles.map((file) => [file.path.slice(file.path.indexOf('/scripts')), file.text]));
}

/** Source of a page in this folder. */
export const pageSource = (name: string): string => fileURLToPath(new URL(`./${name}.ts`, import.meta.url));
