/** Photos and files in the worker, as the runtime takes them. */
import type { BytesSource } from '@ivit/runtime';
import type { ModelSource, Photo } from '../types.js';
import { drawnPixels } from './drawn-pixels.js';
import type { WireBytes, WirePhoto, WireSource } from './messages.js';

function named(file: WireBytes): Uint8Array | BytesSource {
  const { name } = file;
  if (file.kind === 'blob') {
    const { blob } = file;
    return name === undefined ? blob : { name, arrayBuffer: () => blob.arrayBuffer() };
  }
  const { bytes } = file;
  return name === undefined ? bytes : { name, arrayBuffer: async () => bytes.slice().buffer };
}

export async function bytesOf(file: WireBytes): Promise<Uint8Array> {
  return file.kind === 'bytes' ? file.bytes : new Uint8Array(await file.blob.arrayBuffer());
}

/** @throws E_INPUT, E_READ for an image of the browser's that holds no pixels or cannot be drawn */
export function unpackPhoto(photo: WirePhoto): Photo {
  switch (photo.kind) {
    case 'address':
      return photo.address;
    case 'bytes':
    case 'blob':
      return named(photo);
    case 'raw':
    case 'prepared':
      return photo.image;
    case 'drawn':
      return drawnPixels(photo.image);
    case 'other':
      // No photo: the runtime says so in its own words.
      return photo.value as Photo;
    default:
      return photo satisfies never;
  }
}

/** The worker's copies of the browser's images hold memory until they are closed. */
export function closePhotos(photos: readonly WirePhoto[]): void {
  for (const photo of photos) if (photo.kind === 'drawn') photo.image.close();
}

export function unpackSource(source: WireSource): ModelSource {
  switch (source.kind) {
    case 'address':
      return source.address;
    case 'blob':
      return source.blob;
    case 'bytes':
      return source.bytes;
    case 'other':
      return source.value as ModelSource;
    default:
      return source satisfies never;
  }
}
