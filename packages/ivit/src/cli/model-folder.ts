import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { INDEX_FILE, shardNames } from '@ivit/models';
import { IvitError } from '@ivit/program';
import { isHubAddress, parseHubAddress } from '../hub/address.js';
import { fetchHubFile, fetchOptionalHubFile } from '../hub/fetch-file.js';
import { CONFIG_FILES, isWeightFile } from '../model-files.js';
import { hubAccess, WEIGHTS_FILE } from '../model-source.js';
import { readError } from '../node/errors.js';
import type { LoadModelOptions } from '../types.js';

/** A float model's files by name, as `readVit` of `@ivit/models` takes them. */
export interface ModelFolder {
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

async function load(files: Map<string, Uint8Array>, at: string, name: string, optional: boolean): Promise<void> {
  const file = join(at, name);
  try {
    files.set(name, new Uint8Array(await readFile(file)));
  } catch (error) {
    const missing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    if (!missing || !optional) throw readError(error, file);
  }
}

/** The weight file that a folder holds, or its index of shards; `model.safetensors` where it has none of them. */
async function weightsIn(path: string): Promise<string> {
  const names = await readdir(path).catch((error: unknown) => {
    throw readError(error, path);
  });
  if (names.includes(WEIGHTS_FILE)) return WEIGHTS_FILE;
  if (names.includes(INDEX_FILE)) return INDEX_FILE;
  const found = names.filter((name) => isWeightFile(name));
  if (found.length <= 1) return found[0] ?? WEIGHTS_FILE;
  throw new IvitError('E_INPUT', `The folder holds several weight files: ${found.slice(0, 5).join(', ')}`, {
    where: path,
    hint: 'Name one of them instead of the folder.',
  });
}

/** A folder, or a weight file with the configuration beside it. */
async function fromDisk(path: string): Promise<ModelFolder> {
  const info = await stat(path).catch((error: unknown) => {
    throw readError(error, path);
  });
  const at = info.isDirectory() ? path : dirname(path);
  const weights = info.isDirectory() ? await weightsIn(path) : basename(path);
  const files = new Map<string, Uint8Array>();
  await load(files, at, weights, false);
  for (const name of CONFIG_FILES) await load(files, at, name, true);
  if (weights === INDEX_FILE) {
    const index = files.get(INDEX_FILE) ?? new Uint8Array(0);
    for (const shard of shardNames(index, join(at, INDEX_FILE))) await load(files, at, shard, false);
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
  for (const name of CONFIG_FILES) {
    const bytes = await fetchOptionalHubFile(address, name, access);
    if (bytes !== undefined) files.set(name, bytes);
  }
  files.set(WEIGHTS_FILE, await fetchHubFile(address, WEIGHTS_FILE, access));
  return { name: `${address.owner}/${address.name}`, files };
}
