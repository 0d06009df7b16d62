import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readSafetensors, type TensorEntry, toFloat32, toIntegers } from '@ivit/formats/safetensors';
import type { VitPreprocess } from '@ivit/models';

const VECTORS = fileURLToPath(new URL('../../../vectors/ivit/', import.meta.url));

/** Preprocessing of all golden models (their config.json). */
export const PREPROCESS: VitPreprocess = {
  resize: 32,
  interpolation: 'bicubic',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

export interface TraceHash {
  /** Batch first. */
  readonly shape: readonly number[];
  /** sha256 of all elements as little-endian int64. */
  readonly sha256_i64le: string;
}

export type Tensors = ReadonlyMap<string, TensorEntry>;

export function readTensors(path: string, folder: string = VECTORS): Tensors {
  return readSafetensors(new Uint8Array(readFileSync(folder + path)), { where: path }).tensors;
}

export function readTraceHashes(path: string, folder: string = VECTORS): ReadonlyMap<string, TraceHash> {
  const parsed: Record<string, TraceHash> = JSON.parse(readFileSync(folder + path, 'utf8'));
  return new Map(Object.entries(parsed));
}

export function integersOf(tensors: Tensors, name: string): readonly number[] {
  const entry = tensors.get(name);
  if (entry === undefined) throw new Error(`the vectors have no ${name}`);
  return [...toIntegers(entry)];
}

export function floatsOf(tensors: Tensors, name: string): Float32Array {
  const entry = tensors.get(name);
  if (entry === undefined) throw new Error(`the vectors have no ${name}`);
  return toFloat32(entry);
}

/** 8×8 gray images as 32×32 RGB, each pixel repeated 4×4. */
export function enlarge(images: readonly number[]): Uint8Array {
  const count = images.length / 64;
  const pixels = new Uint8Array(count * 32 * 32 * 3);
  for (let i = 0; i < pixels.length; i += 1) {
    const pixel = Math.floor(i / 3);
    const image = Math.floor(pixel / 1024);
    const y = Math.floor((pixel % 1024) / 32);
    const x = pixel % 32;
    pixels[i] = images[image * 64 + Math.floor(y / 4) * 8 + Math.floor(x / 4)] as number;
  }
  return pixels;
}
