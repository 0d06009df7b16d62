import { createHash } from 'node:crypto';
import { littleEndianBytes } from '@ivit/program';

export interface Comparison {
  readonly images: number;
  /** Images with at least one differing logit, or with another number of logits. */
  readonly differentImages: number;
  readonly differentLogits: number;
  /** The first difference, for the report. */
  readonly first?: {
    readonly image: number;
    readonly logit: number;
    readonly expected: number;
    readonly found: number;
  };
}

/** sha256 (hex) over the little-endian bytes of all logits, image after image. */
export function logitsDigest(logits: readonly Int32Array[]): string {
  const hash = createHash('sha256');
  for (const one of logits) hash.update(littleEndianBytes(one));
  return hash.digest('hex');
}

/** A logit that only one side has counts as different. */
export function compareLogits(expected: readonly Int32Array[], found: readonly Int32Array[]): Comparison {
  const images = Math.max(expected.length, found.length);
  let differentImages = 0;
  let differentLogits = 0;
  let first: Comparison['first'];
  for (let image = 0; image < images; image += 1) {
    const want = expected[image] ?? new Int32Array(0);
    const have = found[image] ?? new Int32Array(0);
    let different = 0;
    for (let logit = 0; logit < Math.max(want.length, have.length); logit += 1) {
      if (want[logit] === have[logit]) continue;
      different += 1;
      first ??= { image, logit, expected: want[logit] ?? Number.NaN, found: have[logit] ?? Number.NaN };
    }
    differentLogits += different;
    if (different > 0 || expected[image] === undefined || found[image] === undefined) differentImages += 1;
  }
  return { images, differentImages, differentLogits, ...(first === undefined ? {} : { first }) };
}
