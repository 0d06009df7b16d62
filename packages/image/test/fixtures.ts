import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/** What tools/oracle/make_image_vectors.py wrote down about one file. */
export interface Expected {
  readonly width: number;
  readonly height: number;
  readonly sha256: string;
  /** All bytes as base64, for small images. */
  readonly data?: string;
  readonly resized?: readonly {
    readonly width: number;
    readonly height: number;
    readonly interpolation: 'bicubic' | 'bilinear';
    /** By Pillow version. */
    readonly sha256: { readonly '12': string; readonly '13': string };
  }[];
}

export function fixture(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));
}

const document: { readonly files: Readonly<Record<string, Expected>> } = JSON.parse(
  readFileSync(new URL('fixtures/expected.json', import.meta.url), 'utf8'),
);

export const EXPECTED: readonly (readonly [name: string, expected: Expected])[] = Object.entries(document.files);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
