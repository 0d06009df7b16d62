import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SHARED } from '../bench/places.js';
import { inRepository } from '../browser/material.js';
import type { GoldenFolders } from '../vectors/golden-checks.js';
import { folderAt } from '../vectors/read-folder.js';

/** Those of CI, which take seconds: the first is in the repository. */
const ALWAYS = ['tiny_vit'];
const WHERE_SHARED = ['tiny_swin'];

/** A golden model's files. */
export interface GoldenFiles {
  readonly name: string;
  readonly path: string;
  readonly files: readonly string[];
}

/**
 * @param names undefined: those that CI runs
 * @throws RangeError where one that is named is missing
 */
export function goldenFiles(names: readonly string[] | undefined): readonly GoldenFiles[] {
  const shared = join(SHARED, 'vectors/ivit');
  const wanted = names ?? [...ALWAYS, ...(existsSync(shared) ? WHERE_SHARED : [])];
  return wanted.map((name) => {
    const path = [inRepository(join('vectors/ivit', name)), join(shared, name)].find((folder) => existsSync(folder));
    if (path === undefined) throw new RangeError(`there is no golden model ${name}`);
    return { name, path, files: readdirSync(path) };
  });
}

export function goldenFolders(models: readonly GoldenFiles[]): GoldenFolders {
  return new Map(models.map(({ name, path }) => [name, folderAt(path)]));
}
