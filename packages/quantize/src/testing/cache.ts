import type { CalibrationCache } from '../types.js';

/** A cache in memory that counts what is done to it. */
export interface MemoryCache extends CalibrationCache {
  readonly entries: Map<string, Uint8Array>;
  hits: number;
}

export function createMemoryCache(): MemoryCache {
  const entries = new Map<string, Uint8Array>();
  const cache: MemoryCache = {
    entries,
    hits: 0,
    async get(key) {
      const bytes = entries.get(key);
      if (bytes !== undefined) cache.hits += 1;
      return bytes?.slice();
    },
    async put(key, bytes) {
      entries.set(key, bytes.slice());
    },
  };
  return cache;
}
