import { IvitError } from '@ivit/program';

const encoder = new TextEncoder();

/** Order of the names' UTF-8 bytes, whatever the locale. */
export function compareBytes(a: string, b: string): number {
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i += 1) {
    const difference = (left[i] as number) - (right[i] as number);
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/**
 * 32-bit generator: a Weyl sequence through a finalizer (Steele, Lea, Flood, "Fast splittable pseudorandom number
 * generators", 2014, with MurmurHash3's 32-bit constants). Uniform in 0 … 2^32-1.
 */
export function createRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let mixed = state ^ (state >>> 16);
    mixed = Math.imul(mixed, 0x85ebca6b);
    mixed ^= mixed >>> 13;
    mixed = Math.imul(mixed, 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}

/**
 * Which photos to calibrate on. Names are sorted by their UTF-8 bytes; without a seed entry ⌊i·n/count⌋ is taken for
 * i = 0 … count-1; with a seed the sorted names are shuffled (Fisher-Yates from the last entry down, partner
 * ⌊random·(i+1)/2^32⌋ of {@link createRandom}) and the first `count` taken, in sorted order again.
 * All names when there are no more than `count`.
 *
 * @throws IvitError `E_CALIBRATION_EMPTY` without names, `E_CALIBRATION_COUNT` when count is no positive integer.
 */
export function chooseCalibration(names: readonly string[], count: number, seed?: number): string[] {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new IvitError('E_CALIBRATION_COUNT', `${count} is no number of photos`, { hint: '16 to 64 photos do well.' });
  }
  checkNotEmpty(names.length);
  const sorted = [...names].sort(compareBytes);
  const n = sorted.length;
  if (n <= count) return sorted;
  if (seed === undefined) return Array.from({ length: count }, (_, i) => sorted[Math.floor((i * n) / count)] as string);
  const random = createRandom(seed);
  for (let i = n - 1; i > 0; i -= 1) {
    const j = Math.floor((random() * (i + 1)) / 4294967296);
    const swapped = sorted[i] as string;
    sorted[i] = sorted[j] as string;
    sorted[j] = swapped;
  }
  return sorted.slice(0, count).sort(compareBytes);
}

/** @throws IvitError `E_CALIBRATION_EMPTY` */
export function checkNotEmpty(photos: number): void {
  if (photos > 0) return;
  throw new IvitError('E_CALIBRATION_EMPTY', 'there are no calibration photos', {
    hint: 'Give 16 to 64 photos of the kind the model will see; labels are not needed.',
  });
}
