import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelFolder } from '@ivit/models';

/** The files of a checkpoint folder that a reader may want. */
export function readModelFolder(folder: string): ModelFolder {
  const files = new Map<string, Uint8Array>();
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (/\.(json|safetensors)$/.test(name) && statSync(path).isFile()) files.set(name, readFileSync(path));
  }
  return { name: folder, files };
}
