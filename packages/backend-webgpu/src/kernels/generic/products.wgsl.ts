/** Products of any view and size: the slow truth beside kernels/products. Sums stay within int32 by the validator's proof. */
import { elementKernel } from '../common/element-kernel.wgsl.js';
import { OWN } from '../common/record-words.js';

/** K, N and, for `matmul`, the rows of a group. */
export const PRODUCT_K: number = OWN;
export const PRODUCT_N: number = OWN + 1;
export const PRODUCT_ROWS: number = OWN + 2;
/** First word of the bias of a `linear`, or -1. */
export const PRODUCT_BIAS: number = OWN + 3;
/** 1 where a holds codes c that stand for 2^(15 - c). */
export const PRODUCT_LOG2: number = OWN + 4;

/** `y[o,n] = b[n] + Σ_k x[o,k]·w[n,k]`; w in slot 1. */
export const linearCode: string = elementKernel(/* wgsl */ `
fn element(image: u32, flat: u32) -> i32 {
  let inner = u32(field(${PRODUCT_K}u));
  let columns = u32(field(${PRODUCT_N}u));
  let row = flat / columns;
  let column = flat - row * columns;
  var sum = 0;
  if (field(${PRODUCT_BIAS}u) >= 0) {
    sum = constant(u32(field(${PRODUCT_BIAS}u)) + column);
  }
  for (var k = 0u; k < inner; k += 1u) {
    sum += load(0u, image, row * inner + k) * load(1u, image, column * inner + k);
  }
  return sum;
}
`);

/** `y[g,i,j] = Σ_k a[g,i,k]·b[g,k,j]`, or with codes `Σ_k b[g,k,j]·2^(15 - a[g,i,k])`. */
export const matmulCode: string = elementKernel(/* wgsl */ `
fn element(image: u32, flat: u32) -> i32 {
  let inner = u32(field(${PRODUCT_K}u));
  let columns = u32(field(${PRODUCT_N}u));
  let line = flat / columns;
  let column = flat - line * columns;
  let group = line / u32(field(${PRODUCT_ROWS}u));
  let log2 = field(${PRODUCT_LOG2}u) == 1;
  var sum = 0;
  for (var k = 0u; k < inner; k += 1u) {
    let a = load(0u, image, line * inner + k);
    let b = load(1u, image, (group * inner + k) * columns + column);
    sum += select(b * a, b << u32(15 - a), log2);
  }
  return sum;
}
`);
