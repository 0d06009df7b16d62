/** Writes one code point as UTF-8 (at most 4 bytes) and returns the index behind it. */
export function putCodePoint(target: Uint8Array, index: number, codePoint: number): number {
  if (codePoint < 0x80) {
    target[index] = codePoint;
    return index + 1;
  }
  if (codePoint < 0x800) {
    target[index] = 0xc0 | (codePoint >> 6);
    target[index + 1] = 0x80 | (codePoint & 63);
    return index + 2;
  }
  if (codePoint < 0x10000) {
    target[index] = 0xe0 | (codePoint >> 12);
    target[index + 1] = 0x80 | ((codePoint >> 6) & 63);
    target[index + 2] = 0x80 | (codePoint & 63);
    return index + 3;
  }
  target[index] = 0xf0 | (codePoint >> 18);
  target[index + 1] = 0x80 | ((codePoint >> 12) & 63);
  target[index + 2] = 0x80 | ((codePoint >> 6) & 63);
  target[index + 3] = 0x80 | (codePoint & 63);
  return index + 4;
}
