/** What the library (not the command) needs of Node; `#node` in package.json leads here, or to `absent.ts` in browsers. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HubStore } from '../hub/store.js';
import { readError } from './errors.js';

/** @throws E_READ */
export async function readPath(path: string | URL): Promise<Uint8Array> {
  try {
    const bytes = await readFile(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw readError(error, path instanceof URL ? path.href : path);
  }
}

export async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

/** Path of the first of these files that the folder holds. */
export function firstFile(folder: string, names: readonly string[]): string | undefined {
  return names.map((name) => join(folder, name)).find((path) => existsSync(path));
}

/** Downloads in `hub` of the cache folder. */
export async function openHubStore(cache?: string): Promise<HubStore> {
  const [{ folderStore }, { defaultCacheFolder }] = await Promise.all([
    import('./hub-store.js'),
    import('./cache-folder.js'),
  ]);
  return folderStore(join(cache ?? defaultCacheFolder(), 'hub'));
}
