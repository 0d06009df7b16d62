import { readFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { isHubAddress, parseHubAddress } from '../hub/address.js';
import { fetchHubFile, fetchOptionalHubFile } from '../hub/fetch-file.js';
import { hubAccess, WEIGHTS_FILE } from '../model-source.js';
import { readError } from '../node/errors.js';
import type { LoadModelOptions } from '../types.js';

/** A float model's files by name, as `readVit` of `@ivit/models` takes them. */
export interface ModelFolder {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

const OPTIONAL = ['config.json', 'preprocessor_config.json'];

async function fromDisk(path: string): Promise<ModelFolder> {
  const files = new Map<string, Uint8Array>();
  for (const name of [WEIGHTS_FILE, ...OPTIONAL]) {
    const file = join(path, name);
    try {
      files.set(name, new Uint8Array(await readFile(file)));
    } catch (error) {
      const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
      if (!missing || name === WEIGHTS_FILE) throw readError(error, file);
    }
  }
  return { name: basename(resolve(path)), files };
}

/**
 * Reads the files of a float model from a folder or the hub.
 * @throws E_READ, and the codes of the hub
 */
export async function readModelFolder(source: string, options: LoadModelOptions): Promise<ModelFolder> {
  if (!isHubAddress(source)) return fromDisk(source);
  const address = parseHubAddress(source, options.hub?.revision);
  const access = await hubAccess(options);
  const files = new Map<string, Uint8Array>();
  for (const name of OPTIONAL) {
    const bytes = await fetchOptionalHubFile(address, name, access);
    if (bytes !== undefined) files.set(name, bytes);
  }
  files.set(WEIGHTS_FILE, await fetchHubFile(address, WEIGHTS_FILE, access));
  return { name: `${address.owner}/${address.name}`, files };
}
