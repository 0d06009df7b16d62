import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { VitWeights } from '@ivit/models';

/** Raised whenever the float forward or the pixel path changes a bit. */
const CACHE_VERSION = 1;

function cacheRoot(): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== '') return XDG_CACHE_HOME;
  if (process.platform === 'win32') return LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  return process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache');
}

/** Float logits of photos, kept between runs: the same checkpoint and photo always give the same ones. */
export interface FloatCache {
  get(photo: string): Float32Array | undefined;
  put(photo: string, logits: Float32Array): void;
}

export function openFloatCache(weights: VitWeights): FloatCache {
  const { config, preprocess, sources } = weights;
  const key = createHash('sha256').update(JSON.stringify({ CACHE_VERSION, config, preprocess, sources })).digest('hex');
  const folder = join(cacheRoot(), 'ivit', 'float-logits', key);
  const { classes } = config;
  return {
    get: (photo) => {
      try {
        const bytes = readFileSync(join(folder, photo));
        return bytes.length === 4 * classes ? new Float32Array(new Uint8Array(bytes).buffer) : undefined;
      } catch {
        return undefined;
      }
    },
    put: (photo, logits) => {
      try {
        mkdirSync(folder, { recursive: true });
        const partial = join(folder, `${photo}.${process.pid}`);
        writeFileSync(partial, new Uint8Array(logits.buffer, logits.byteOffset, logits.byteLength));
        renameSync(partial, join(folder, photo));
      } catch {
        // A cache that cannot be written costs time, not truth.
      }
    },
  };
}
