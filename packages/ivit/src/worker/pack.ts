/** Photos and files on their way to a worker: copies, so that nothing of the caller's is taken away. */
import { IvitError } from '@ivit/program';
import { hasNode } from '../environment.js';
import type { ModelSource } from '../types.js';
import type { DrawnPhoto, WireBytes, WirePhoto, WireSource } from './messages.js';
import type { NamedFile, WorkerPhoto } from './types.js';

/** What is handed over instead of copied once more. */
export type Transfer = ArrayBuffer[];

/** `Uint8Array`, `ImageBitmap`…: the built-in type, also of a value of another realm. */
function kindOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

function isDrawn(value: object): value is DrawnPhoto {
  return ['ImageBitmap', 'VideoFrame'].includes(kindOf(value));
}

/** The page's own address, where there is a page: what relative URLs are relative to. */
function baseAddress(): string | undefined {
  const place: unknown = Reflect.get(globalThis, 'document') ?? Reflect.get(globalThis, 'location');
  if (typeof place !== 'object' || place === null) return undefined;
  const base: unknown = Reflect.get(place, 'baseURI') ?? Reflect.get(place, 'href');
  return typeof base === 'string' ? base : undefined;
}

/** An address that means the same in the worker, whose script may lie in another folder. */
function absolute(address: string | URL): string {
  if (typeof address !== 'string') return address.href;
  const base = baseAddress();
  if (base === undefined || address === 'builtin' || address.startsWith('hf:')) return address;
  try {
    return new URL(address, base).href;
  } catch {
    // Not even an address: the worker says so as `loadModel` does.
    return address;
  }
}

function copied(bytes: Uint8Array, transfer: Transfer): Uint8Array {
  const copy = new Uint8Array(bytes.length);
  copy.set(bytes);
  transfer.push(copy.buffer);
  return copy;
}

function nameOf(source: object): { readonly name?: string } {
  return 'name' in source && typeof source.name === 'string' && source.name !== '' ? { name: source.name } : {};
}

interface BytesSource {
  arrayBuffer(): Promise<ArrayBuffer>;
}

function isBytesSource(value: object): value is BytesSource {
  return 'arrayBuffer' in value && typeof value.arrayBuffer === 'function';
}

async function packBytes(source: BytesSource, transfer: Transfer): Promise<WireBytes> {
  const name = nameOf(source);
  // A browser's Blob goes as it is, and the worker reads it. Node's Files cannot.
  if (source instanceof Blob && !hasNode()) return { kind: 'blob', blob: source, ...name };
  return { kind: 'bytes', bytes: copied(new Uint8Array(await source.arrayBuffer()), transfer), ...name };
}

/** @throws what reading the photo throws */
export async function packPhoto(photo: WorkerPhoto, transfer: Transfer): Promise<WirePhoto> {
  if (typeof photo === 'string' || photo instanceof URL) return { kind: 'address', address: absolute(photo) };
  if (typeof photo !== 'object' || photo === null) return { kind: 'other', value: photo };
  if (photo instanceof Uint8Array) return { kind: 'bytes', bytes: copied(photo, transfer) };
  if (photo instanceof ArrayBuffer) return { kind: 'bytes', bytes: copied(new Uint8Array(photo), transfer) };
  if (isDrawn(photo)) return { kind: 'drawn', image: photo };
  if (isBytesSource(photo)) return packBytes(photo, transfer);
  if ('pixels' in photo && photo.pixels instanceof Uint8Array) {
    return { kind: 'prepared', image: { pixels: copied(photo.pixels, transfer) } };
  }
  if ('data' in photo && (photo.data instanceof Uint8Array || photo.data instanceof Uint8ClampedArray)) {
    const { width, height, data } = photo;
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return { kind: 'raw', image: { width, height, data: copied(bytes, transfer) } };
  }
  return { kind: 'other', value: photo };
}

export async function packSource(source: ModelSource, transfer: Transfer): Promise<WireSource> {
  if (typeof source === 'string' || source instanceof URL) return { kind: 'address', address: absolute(source) };
  if (source instanceof Uint8Array) return { kind: 'bytes', bytes: copied(source, transfer) };
  if (source instanceof ArrayBuffer) return { kind: 'bytes', bytes: copied(new Uint8Array(source), transfer) };
  // Callers without types too.
  if (typeof source === 'object' && source !== null && isBytesSource(source)) return packBytes(source, transfer);
  return { kind: 'other', value: source };
}

/** @throws E_INPUT for a file without a name, or with that of another */
export async function packFiles(
  files: readonly NamedFile[],
  option: string,
  transfer: Transfer,
): Promise<(WireBytes & { readonly name: string })[]> {
  const names = new Set<string>();
  const packed: (WireBytes & { readonly name: string })[] = [];
  for (const file of files) {
    const { name } = file;
    if (typeof name !== 'string' || name === '' || names.has(name)) {
      const problem = name ? `Two files are named ${name}` : 'A file has no name';
      const hint = 'Every file is recorded and found by its name: rename one.';
      throw new IvitError('E_INPUT', problem, { where: `option ${option}`, hint });
    }
    names.add(name);
    packed.push({ ...(await packBytes(file, transfer)), name });
  }
  return packed;
}
