/**
 * The product of gemm.ts with seven multiplications of quarters instead of eight: Strassen's algorithm in Winograd's form
 * (S. Winograd, 1971; Knuth, The Art of Computer Programming 2, 4.6.4, exercise).
 *
 *   rows A = top, bottom; k = first, second half; columns B = left, right
 *   S1 = A21 + A22   S2 = S1 - A11   S3 = A11 - A21   S4 = A12 - S2
 *   T1 = B12 - B11   T2 = B22 - T1   T3 = B22 - B12   T4 = T2 - B21
 *   P1 = A11·B11   U2 = P1 + S2·T2   U3 = U2 + S3·T3   V = S1·T1
 *   C11 = P1 + A12·B21   C12 = U2 + V + S4·B22   C21 = U3 - A22·T4   C22 = U3 + V
 *
 * Exact: |x| ≤ 128 and |w| ≤ 128 make every S and T at most 512 in magnitude, an int16, and each pair of products at most
 * 2^19. Sums are taken modulo 2^32, where the identity holds whether or not a partial sum wraps, and the validator bounds
 * the results themselves by 2^31 - 1. Not for int16 operands, whose S would leave int16.
 *
 * Layout: seven blocks of strips [A11 A12 S1 S2 S3 S4 A22]; per pair of panels (8 columns from the left half, 8 from the
 * right) seven panels [B11 B21 T1 T2 T3 B22 -T4], each as in gemm.ts with half the k. The panels are made from int8 weights
 * when their turn comes: a seventh of the bytes passes through the caches, and that saves more than making them takes.
 *
 * Measured beside gemm.ts in one process (V8 11.3, AVX2): 1.09 times as fast for k = 192, 1.13 times for k = 768.
 */
import { STRASSEN_TILES_BYTES } from '../src/record-layout';
import { tile } from './gemm';
import { packStrassenPanels, strassenPanelBytes } from './pack-strassen';

/** C = x + y for one tile; x and y are tiles of 32-byte rows. */
// @ts-expect-error: decorator
@inline
function addTiles(x: usize, y: usize, c: usize, stride: i32): void {
  for (let row = 0; row < 4; row++) {
    v128.store(c, i32x4.add(v128.load(x), v128.load(y)));
    v128.store(c, i32x4.add(v128.load(x, 16), v128.load(y, 16)), 16);
    x += 32;
    y += 32;
    c += stride;
  }
}

/**
 * @param a packed by packStrassenRows
 * @param strips strips of 4 rows in the top half, and as many in the bottom half
 * @param w int8 weights, a row of 4·pairs for each of 16·panels columns
 * @param panels panels of 8 columns in the left half
 * @param pairs pairs of k in one half
 * @param c room for 8·strips rows of 16·panels sums
 * @param bias of all columns, or 0
 * @param temp two tiles, then seven panels
 */
export function multiplyStrassen(
  a: usize,
  strips: i32,
  w: usize,
  panels: i32,
  pairs: i32,
  c: usize,
  stride: i32,
  bias: usize,
  temp: usize,
): void {
  const stripBytes = ((pairs + 3) & ~3) << 4;
  const block = stripBytes * strips;
  const panel = strassenPanelBytes(pairs);
  const right = panels << 5;
  const bottom = (strips << 2) * stride;
  const u = temp;
  const v = temp + 128;
  const b = temp + STRASSEN_TILES_BYTES;
  const k = pairs << 2;
  const half = 8 * panels * k;
  for (let p = 0; p < panels; p++) {
    packStrassenPanels(b, w, w + half, k);
    let ap = a;
    let cp = c + (p << 5);
    const biasLeft: usize = bias ? bias + (p << 5) : 0;
    const biasRight: usize = bias ? bias + right + (p << 5) : 0;
    for (let s = 0; s < strips; s++) {
      // V holds the right bias: it is in both right quarters, once.
      tile(ap + 2 * block, b + 2 * panel, pairs, biasRight, 0, 0, 0, v, 32);
      tile(ap, b, pairs, 0, 0, 0, 0, u, 32);
      tile(ap + block, b + panel, pairs, u, 32, biasLeft, 0, cp, stride);
      tile(ap + 3 * block, b + 3 * panel, pairs, u, 32, 0, 0, u, 32);
      tile(ap + 5 * block, b + 5 * panel, pairs, u, 32, v, 32, cp + right, stride);
      tile(ap + 4 * block, b + 4 * panel, pairs, u, 32, 0, 0, u, 32);
      tile(ap + 6 * block, b + 6 * panel, pairs, u, 32, biasLeft, 0, cp + bottom, stride);
      addTiles(u, v, cp + bottom + right, stride);
      ap += stripBytes;
      cp += stride << 2;
    }
    w += 8 * k;
  }
}
