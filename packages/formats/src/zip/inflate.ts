import { Inflate } from 'fflate';

/** Input per step: deflate grows at most 1032-fold, so a step yields at most 17 MB before the size is looked at. */
const STEP_BYTES = 16 * 1024;

/**
 * Raw deflate data of a known size.
 *
 * @returns the content, or undefined where the data is no deflate or gives another size. Memory stays within the size
 * and one step, whatever the data would unpack to.
 */
export function inflateExactly(packed: Uint8Array, size: number): Uint8Array | undefined {
  const content = new Uint8Array(size);
  let length = 0;
  let overflows = false;
  const stream = new Inflate((chunk) => {
    if (length + chunk.length > size) overflows = true;
    else content.set(chunk, length);
    length += chunk.length;
  });
  try {
    for (let at = 0; ; at += STEP_BYTES) {
      const last = at + STEP_BYTES >= packed.length;
      // fflate keeps what it is given: a copy, so that the caller's bytes stay the caller's.
      stream.push(packed.slice(at, at + STEP_BYTES), last);
      if (overflows) return undefined;
      if (last) return length === size ? content : undefined;
    }
  } catch {
    // fflate's own errors have numeric codes.
    return undefined;
  }
}
