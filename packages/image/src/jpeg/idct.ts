/**
 * Inverse DCT, bit-equal to the accurate integer method ("islow") of libjpeg and libjpeg-turbo: the factorization of
 * Loeffler, Ligtenberg and Moschytz (ICASSP 1989) with 12 multiplications, on columns, then rows.
 *
 * Fixed point: constants have 13 fractional bits, the values between the passes 2 more than the input. Coefficients of
 * real images are below 2^11 * 8, sums of products below 2^31; beyond that (damaged files) the arithmetic wraps, the
 * same way everywhere.
 */

const C0_298 = 2446; // round(0.298631336 * 2^13), and so on
const C0_390 = 3196;
const C0_541 = 4433;
const C0_765 = 6270;
const C0_899 = 7373;
const C1_175 = 9633;
const C1_501 = 12299;
const C1_847 = 15137;
const C1_961 = 16069;
const C2_053 = 16819;
const C2_562 = 20995;
const C3_072 = 25172;

const workspace = new Int32Array(64);

/**
 * Writes the 8x8 samples of a block.
 *
 * @param block 64 dequantized coefficients in natural order
 * @param at where the first sample goes in `plane`, whose rows are `stride` apart
 */
export function inverseDct(block: Int32Array, plane: Uint8Array, at: number, stride: number): void {
  for (let x = 0; x < 8; x++) transformColumn(block, x);
  let to = at;
  for (let row = 0; row < 64; row += 8) {
    transformRow(row, plane, to);
    to += stride;
  }
}

/** The same for a block that has nothing but its mean. */
export function inverseDctMean(mean: number, plane: Uint8Array, at: number, stride: number): void {
  const sample = clampSample((mean * 4 + 16) >> 5);
  let to = at;
  for (let y = 0; y < 8; y++) {
    plane.fill(sample, to, to + 8);
    to += stride;
  }
}

function transformColumn(block: Int32Array, x: number): void {
  const i0 = block[x] as number;
  const i1 = block[x + 8] as number;
  const i2 = block[x + 16] as number;
  const i3 = block[x + 24] as number;
  const i4 = block[x + 32] as number;
  const i5 = block[x + 40] as number;
  const i6 = block[x + 48] as number;
  const i7 = block[x + 56] as number;
  if ((i1 | i2 | i3 | i4 | i5 | i6 | i7) === 0) {
    const mean = i0 << 2;
    for (let y = x; y < 64; y += 8) workspace[y] = mean;
    return;
  }
  // Even part.
  const e = Math.imul(i2 + i6, C0_541);
  const e2 = e - Math.imul(i6, C1_847);
  const e3 = e + Math.imul(i2, C0_765);
  const e0 = (i0 + i4) << 13;
  const e1 = (i0 - i4) << 13;
  const s0 = e0 + e3 + 1024;
  const s3 = e0 - e3 + 1024;
  const s1 = e1 + e2 + 1024;
  const s2 = e1 - e2 + 1024;
  // Odd part.
  const z5 = Math.imul(i7 + i3 + i5 + i1, C1_175);
  const z1 = -Math.imul(i7 + i1, C0_899);
  const z2 = -Math.imul(i5 + i3, C2_562);
  const z3 = z5 - Math.imul(i7 + i3, C1_961);
  const z4 = z5 - Math.imul(i5 + i1, C0_390);
  const o0 = Math.imul(i7, C0_298) + z1 + z3;
  const o1 = Math.imul(i5, C2_053) + z2 + z4;
  const o2 = Math.imul(i3, C3_072) + z2 + z3;
  const o3 = Math.imul(i1, C1_501) + z1 + z4;
  workspace[x] = (s0 + o3) >> 11;
  workspace[x + 56] = (s0 - o3) >> 11;
  workspace[x + 8] = (s1 + o2) >> 11;
  workspace[x + 48] = (s1 - o2) >> 11;
  workspace[x + 16] = (s2 + o1) >> 11;
  workspace[x + 40] = (s2 - o1) >> 11;
  workspace[x + 24] = (s3 + o0) >> 11;
  workspace[x + 32] = (s3 - o0) >> 11;
}

function transformRow(row: number, plane: Uint8Array, to: number): void {
  const i0 = workspace[row] as number;
  const i1 = workspace[row + 1] as number;
  const i2 = workspace[row + 2] as number;
  const i3 = workspace[row + 3] as number;
  const i4 = workspace[row + 4] as number;
  const i5 = workspace[row + 5] as number;
  const i6 = workspace[row + 6] as number;
  const i7 = workspace[row + 7] as number;
  if ((i1 | i2 | i3 | i4 | i5 | i6 | i7) === 0) {
    plane.fill(clampSample((i0 + 16) >> 5), to, to + 8);
    return;
  }
  const e = Math.imul(i2 + i6, C0_541);
  const e2 = e - Math.imul(i6, C1_847);
  const e3 = e + Math.imul(i2, C0_765);
  const e0 = (i0 + i4) << 13;
  const e1 = (i0 - i4) << 13;
  const s0 = e0 + e3 + 131072;
  const s3 = e0 - e3 + 131072;
  const s1 = e1 + e2 + 131072;
  const s2 = e1 - e2 + 131072;
  const z5 = Math.imul(i7 + i3 + i5 + i1, C1_175);
  const z1 = -Math.imul(i7 + i1, C0_899);
  const z2 = -Math.imul(i5 + i3, C2_562);
  const z3 = z5 - Math.imul(i7 + i3, C1_961);
  const z4 = z5 - Math.imul(i5 + i1, C0_390);
  const o0 = Math.imul(i7, C0_298) + z1 + z3;
  const o1 = Math.imul(i5, C2_053) + z2 + z4;
  const o2 = Math.imul(i3, C3_072) + z2 + z3;
  const o3 = Math.imul(i1, C1_501) + z1 + z4;
  plane[to] = clampSample((s0 + o3) >> 18);
  plane[to + 7] = clampSample((s0 - o3) >> 18);
  plane[to + 1] = clampSample((s1 + o2) >> 18);
  plane[to + 6] = clampSample((s1 - o2) >> 18);
  plane[to + 2] = clampSample((s2 + o1) >> 18);
  plane[to + 5] = clampSample((s2 - o1) >> 18);
  plane[to + 3] = clampSample((s3 + o0) >> 18);
  plane[to + 4] = clampSample((s3 - o0) >> 18);
}

/** Samples are stored around 0 in the file, around 128 in the image. */
function clampSample(value: number): number {
  return value < -128 ? 0 : value > 127 ? 255 : value + 128;
}
