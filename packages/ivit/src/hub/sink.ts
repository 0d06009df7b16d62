/** Where a download goes. `length` counts the bytes that are safely there. */
export interface Sink {
  readonly length: number;
  append(chunk: Uint8Array): Promise<void>;
  /** Forgets everything. */
  reset(): Promise<void>;
  /** All bytes. */
  bytes(): Promise<Uint8Array>;
}

/** A sink in memory, for browsers and for downloads without a cache folder. */
export function memorySink(): Sink {
  let chunks: Uint8Array[] = [];
  let length = 0;
  return {
    get length() {
      return length;
    },
    async append(chunk) {
      chunks.push(chunk);
      length += chunk.length;
    },
    async reset() {
      chunks = [];
      length = 0;
    },
    async bytes() {
      const joined = new Uint8Array(length);
      let offset = 0;
      for (const chunk of chunks) {
        joined.set(chunk, offset);
        offset += chunk.length;
      }
      return joined;
    },
  };
}
