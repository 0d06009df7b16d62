const CRC_TABLE: Int32Array = /* @__PURE__ */ makeCrcTable();

/** Table of the CRC-32 polynomial 0xedb88320 (Annex D of the PNG specification). */
function makeCrcTable(): Int32Array {
  const table = new Int32Array(256);
  for (let i = 0; i < 256; i++) {
    let remainder = i;
    for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
    table[i] = remainder;
  }
  return table;
}

/** CRC-32 of `bytes[from … to - 1]`, as an unsigned 32-bit number. */
export function crc32(bytes: Uint8Array, from: number, to: number): number {
  let crc = -1;
  for (let i = from; i < to; i++) {
    crc = (CRC_TABLE[(crc ^ (bytes[i] as number)) & 255] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

/** Adler-32 of `bytes` (RFC 1950), as an unsigned 32-bit number. */
export function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let i = 0; i < bytes.length; ) {
    // 5552 is the most bytes for which the sums stay below 2^32 (RFC 1950); they are doubles here, but keep it small.
    const end = Math.min(i + 5552, bytes.length);
    for (; i < end; i++) {
      low += bytes[i] as number;
      high += low;
    }
    low %= 65521;
    high %= 65521;
  }
  return high * 65536 + low;
}
