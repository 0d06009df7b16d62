import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Test material beside the project; absent on machines that have only the project. */
export const SHARED = fileURLToPath(new URL('../../../../shared/', import.meta.url));

export const HAS_SHARED = existsSync(SHARED);

/** All files of a folder, by name. */
export function readFolder(folder: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile()) files.set(entry.name, new Uint8Array(readFileSync(join(folder, entry.name))));
  }
  return files;
}
