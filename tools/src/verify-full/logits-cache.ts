import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { littleEndianBytes, type Program } from '@ivit/program';

/**
 * The reference backend's logits, one file per image. An image is known by the sha256 of its pixels and the folder by
 * model and spec, which together decide the logits: a killed run goes on where it was, and a sample of the photos and
 * all of them share what was computed.
 */
export interface LogitsCache {
  readonly folder: string;
  get(pixels: string): Int32Array | undefined;
  put(pixels: string, logits: Int32Array): void;
}

export function openLogitsCache(cache: string, program: Program, model: string): LogitsCache {
  const key = createHash('sha256').update(`${program.spec} ${model}`).digest('hex');
  const folder = join(cache, 'reference-logits', key);
  const classes = (program.values[program.output]?.shape ?? []).reduce((product, size) => product * size, 1);
  mkdirSync(folder, { recursive: true });
  return {
    folder,
    get: (pixels) => {
      if (!existsSync(join(folder, pixels))) return undefined;
      const bytes = readFileSync(join(folder, pixels));
      if (bytes.length !== 4 * classes) return undefined;
      return Int32Array.from({ length: classes }, (_, index) => bytes.readInt32LE(4 * index));
    },
    put: (pixels, logits) => {
      const partial = join(folder, `${pixels}.${process.pid}`);
      writeFileSync(partial, littleEndianBytes(logits));
      renameSync(partial, join(folder, pixels));
    },
  };
}
