import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, unlink, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { CalibrationCache } from '@ivit/quantize';
import { replaceFile } from './replace-file.js';

/** Digest before the bytes of an entry. */
const DIGEST_BYTES = 32;
/** The folder keeps at most this many bytes, the entries used last. */
const LIMIT = 1_073_741_824;

function digest(bytes: Uint8Array | string): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Calibration results between runs, one file an entry. A damaged entry counts as missing; a full disk only costs time. */
export function folderCache(
  folder: string,
  options: { readonly limit?: number } = {},
): CalibrationCache & { prune(): Promise<void> } {
  const limit = options.limit ?? LIMIT;
  const pathOf = (key: string): string => join(folder, `${digest(key).toString('hex')}.bin`);
  return {
    async get(key) {
      const path = pathOf(key);
      const stored = await readFile(path).catch(() => undefined);
      if (stored === undefined || stored.length < DIGEST_BYTES) return undefined;
      const bytes = new Uint8Array(stored.subarray(DIGEST_BYTES));
      if (!digest(bytes).equals(stored.subarray(0, DIGEST_BYTES))) {
        await unlink(path).catch(() => undefined);
        return undefined;
      }
      const now = new Date();
      await utimes(path, now, now).catch(() => undefined);
      return bytes;
    },
    async put(key, bytes) {
      const path = pathOf(key);
      try {
        await mkdir(folder, { recursive: true });
        await replaceFile(path, Buffer.concat([digest(bytes), bytes]));
      } catch {
        // Without the entry the work is done again.
      }
    },
    async prune() {
      const names = await readdir(folder).catch(() => []);
      const entries = await Promise.all(
        names.map(async (name) => {
          const path = join(folder, name);
          const found = await stat(path).catch(() => undefined);
          return { path, size: found?.size ?? 0, used: found?.mtimeMs ?? 0 };
        }),
      );
      entries.sort((a, b) => b.used - a.used);
      let kept = 0;
      for (const { path, size } of entries) {
        kept += size;
        if (kept > limit) await unlink(path).catch(() => undefined);
      }
    },
  };
}
