import { IvitError } from '@ivit/program';
import { hasNode } from './environment.js';
import { type HubAddress, isHubAddress, parseHubAddress } from './hub/address.js';
import type { HubAccess } from './hub/fetch-file.js';
import { type ReadOptions, readBytes } from './read-bytes.js';
import type { LoadModelOptions, ModelSource } from './types.js';

/** A model file's bytes, what to call it in errors, and the digest it must have by itself. */
export interface ModelBytes {
  readonly bytes: Uint8Array;
  readonly where: string;
  /** Whether nobody else has the bytes: then the model may keep windows on them. */
  readonly owned: boolean;
  readonly integrity?: string;
}

/** Names under which a folder holds a program file. */
export const PROGRAM_FILE = 'ivit.safetensors';
export const WEIGHTS_FILE = 'model.safetensors';

function needsQuantizing(where: string): IvitError {
  return new IvitError('E_NEEDS_QUANTIZING', 'These are float weights, not an integer program', {
    where,
    hint: `Make a program of them: ivit quantize ${where} --calibrate PHOTOS -o ${PROGRAM_FILE}`,
  });
}

function progressAndSignal({ onProgress, signal }: Pick<LoadModelOptions, 'onProgress' | 'signal'>): ReadOptions {
  return { ...(onProgress === undefined ? {} : { onProgress }), ...(signal === undefined ? {} : { signal }) };
}

/** Options of the hub as its functions take them, with the cache folder opened. */
export async function hubAccess(options: Pick<LoadModelOptions, 'hub' | 'onProgress' | 'signal'>): Promise<HubAccess> {
  const { cache, revision: _, ...access } = options.hub ?? {};
  const common = { ...access, ...progressAndSignal(options) };
  if (cache === false || !hasNode()) return common;
  const { openHubStore } = await import('#node');
  return { ...common, store: await openHubStore(cache) };
}

async function fromHub(address: HubAddress, text: string, access: HubAccess): Promise<ModelBytes> {
  // Loaded here, so that a local file needs nothing of what downloads.
  const { fetchHubFile, fetchOptionalHubFile, looksLikeProgram } = await import('./hub/index.js');
  if (address.file !== undefined) {
    return { bytes: await fetchHubFile(address, address.file, access), where: text, owned: true };
  }
  const program = await fetchOptionalHubFile(address, PROGRAM_FILE, access);
  if (program !== undefined) return { bytes: program, where: `${text}/${PROGRAM_FILE}`, owned: true };
  if (!(await looksLikeProgram(address, WEIGHTS_FILE, access))) throw needsQuantizing(text);
  return { bytes: await fetchHubFile(address, WEIGHTS_FILE, access), where: `${text}/${WEIGHTS_FILE}`, owned: true };
}

async function fromFolder(path: string, options: LoadModelOptions): Promise<ModelBytes> {
  const { firstFile } = await import('#node');
  const file = firstFile(path, [PROGRAM_FILE, WEIGHTS_FILE]);
  if (file === undefined) {
    throw new IvitError('E_READ', `The folder holds neither ${PROGRAM_FILE} nor ${WEIGHTS_FILE}`, {
      where: path,
      hint: 'Name the program file itself.',
    });
  }
  return { bytes: await readBytes(file, options), where: file, owned: true };
}

/** Whether a path leads to a folder; never so where there is no file system. */
async function isFolder(path: string): Promise<boolean> {
  return hasNode() && (await import('#node')).isFolder(path);
}

async function builtin(options: LoadModelOptions): Promise<ModelBytes> {
  const { file, metadata } = await import('@ivit/model-cifar10');
  const bytes = await readBytes(file, options);
  return { bytes, where: 'builtin', owned: true, integrity: `sha256-${metadata.sha256}` };
}

/**
 * Reads a model file, wherever it is.
 *
 * @throws E_READ, E_INPUT, E_ABORTED; for URLs and `hf:` also E_NOT_FOUND, E_ACCESS, E_NETWORK, E_HUB, E_HASH, E_OUTPUT;
 *   E_NEEDS_QUANTIZING for a repository of float weights
 */
export async function readModel(source: ModelSource, options: LoadModelOptions): Promise<ModelBytes> {
  if (source instanceof Uint8Array) return { bytes: source, where: 'model bytes', owned: false };
  if (source instanceof ArrayBuffer) return { bytes: new Uint8Array(source), where: 'model bytes', owned: false };
  const reading = { ...options.hub, ...progressAndSignal(options) };
  if (source instanceof URL) return { bytes: await readBytes(source, reading), where: source.href, owned: true };
  if (typeof source !== 'string') {
    // Callers without types too.
    if (typeof source !== 'object' || source === null || typeof source.arrayBuffer !== 'function') {
      throw new IvitError('E_INPUT', 'This is no model source', {
        where: 'the first argument of loadModel',
        hint: 'Pass builtin, hf:owner/name, a path, a URL, a Blob, a Uint8Array or an ArrayBuffer.',
      });
    }
    const named = 'name' in source && typeof source.name === 'string' ? source.name : 'model blob';
    // A Blob gives a fresh copy; what else has `arrayBuffer` may keep it.
    const owned = source instanceof Blob;
    return { bytes: new Uint8Array(await source.arrayBuffer()), where: named, owned };
  }
  if (source === 'builtin') return builtin(options);
  if (isHubAddress(source)) {
    return fromHub(parseHubAddress(source, options.hub?.revision), source, await hubAccess(options));
  }
  if (await isFolder(source)) return fromFolder(source, options);
  return { bytes: await readBytes(source, reading), where: source, owned: true };
}

/** Float weights given as a program file: the error says what to do. */
export function explainWeights(error: unknown, where: string): unknown {
  return IvitError.isInstance(error) && error.code === 'E_PROGRAM_FILE' ? needsQuantizing(where) : error;
}
