/** What the library (not the command) needs of Node; `#node` in package.json leads here, or to `absent.ts` in browsers. */
import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { WebgpuEntry } from '@ivit/backend-webgpu';
import { IvitError } from '@ivit/program';
import type { HubStore } from '../hub/store.js';
import { readError } from './errors.js';

/** The part of the package `webgpu` that is used. */
interface WebgpuPackage {
  create(options: readonly string[]): WebgpuEntry;
}

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

let opened: Promise<WebgpuEntry | undefined> | undefined;

async function openGpu(): Promise<WebgpuEntry | undefined> {
  // In a variable, so that no bundler looks for a package that need not be there.
  const name: string = 'webgpu';
  let found: WebgpuPackage;
  try {
    found = (await import(name)) as WebgpuPackage;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw new IvitError('E_NO_WEBGPU', `The package webgpu does not load: ${String(error)}`, { cause: error });
  }
  const gpu = found.create([]);
  // Collected while a device of it lives, it would end the process.
  Object.assign(globalThis, { [Symbol.for('ivit.gpu')]: gpu });
  return gpu;
}

/** WebGPU's entry of the optional package `webgpu`, once a process; undefined where it is not installed. */
export function installedGpu(): Promise<WebgpuEntry | undefined> {
  opened ??= openGpu();
  return opened;
}
