/**
 * int8 constants whose entries fit fewer bits, as bit strings: a row (the last axis) is the low `bits` bits of its entries in
 * two's complement, the first entry in the lowest bits of the first byte, filled up to whole bytes with zeros. Any safetensors
 * reader shows them as U8 `[…, ⌈columns·bits/8⌉]`.
 */

/** Bits an entry may be packed in; 8 is the plain form. */
export const PACKED_BITS = { least: 2, most: 7 };

/** Shape of the stored bytes. `shape` has rank 1 or more. */
export function packedShape(shape: readonly number[], bits: number): number[] {
  const columns = shape[shape.length - 1] as number;
  return [...shape.slice(0, -1), Math.floor((columns * bits + 7) * 0.125)];
}

/** @returns the bytes, or the index of the first entry that does not fit. */
export function packRows(data: Int8Array, columns: number, bits: number): Uint8Array | number {
  const width = Math.floor((columns * bits + 7) * 0.125);
  const rows = columns === 0 ? 0 : data.length / columns; // float-ok: a multiple
  const bytes = new Uint8Array(rows * width);
  const half = 1 << (bits - 1);
  const mask = 2 * half - 1;
  let at = 0;
  for (let row = 0; row < rows; row += 1) {
    let held = 0;
    let count = 0;
    for (let c = row * columns; c < (row + 1) * columns; c += 1) {
      const entry = data[c] as number;
      if (entry < -half || entry >= half) return c;
      held |= (entry & mask) << count;
      count += bits;
      if (count >= 8) {
        bytes[at] = held;
        at += 1;
        held >>>= 8;
        count -= 8;
      }
    }
    if (count > 0) {
      bytes[at] = held;
      at += 1;
    }
  }
  return bytes;
}

/** @returns the entries, or undefined where a row's filling is not zero: the same entries have one form only. */
export function unpackRows(bytes: Uint8Array, columns: number, bits: number): Int8Array | undefined {
  const width = Math.floor((columns * bits + 7) * 0.125);
  const rows = width === 0 ? 0 : bytes.length / width; // float-ok: a multiple
  const data = new Int8Array(rows * columns);
  const up = 32 - bits;
  let at = 0;
  let to = 0;
  for (let row = 0; row < rows; row += 1) {
    let held = 0;
    let count = 0;
    for (let c = 0; c < columns; c += 1) {
      if (count < bits) {
        held |= (bytes[at] as number) << count;
        at += 1;
        count += 8;
      }
      data[to] = (held << up) >> up;
      to += 1;
      held >>>= bits;
      count -= bits;
    }
    if (held !== 0) return undefined;
  }
  return data;
}
