import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GoldenFolder } from './golden.js';
import { parseTensors, type Tensors } from './tensors.js';

export function readTensors(path: string): Tensors {
  return parseTensors(readFileSync(path), path);
}

/** A model folder on disk. */
export function folderAt(path: string): GoldenFolder {
  return {
    has: (name) => existsSync(join(path, name)),
    read: async (name) => new Uint8Array(readFileSync(join(path, name))),
  };
}
