import type { Hash } from '../vectors/value-record.js';

/** The engine's own sha256, many times as fast as one in JavaScript. It takes all bytes at once, so they are kept until then. */
export function webSha256(): Hash {
  const pieces: Uint8Array[] = [];
  return {
    update: (bytes) => pieces.push(bytes),
    async digest() {
      const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
      let at = 0;
      for (const piece of pieces.splice(0)) {
        all.set(piece, at);
        at += piece.length;
      }
      return new Uint8Array(await crypto.subtle.digest('SHA-256', all));
    },
  };
}
