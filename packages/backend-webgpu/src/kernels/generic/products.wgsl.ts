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

/** From one k to the next, elements of a and of b in their dense tensors. */
export const PRODUCT_A_STEP: number = OWN + 5;
export const PRODUCT_B_STEP: number = OWN + 6;

/** Sum over k from elements a and b on: the views' last axes are walked by their strides, what else they do is done once. */
const sumOfProducts = /* wgsl */ `
fn word_of(source: i32, i: u32) -> u32 {
  if (source == 0) {
    return arena[i];
  }
  return constants[i];
}

fn sum_of_products(image: u32, a_first: u32, b_first: u32, inner: u32, log2: bool) -> i32 {
  let a_slot = SLOT;
  let b_slot = SLOT + SLOT_WORDS;
  let a_source = field(a_slot);
  let b_source = field(b_slot);
  let a_base = u32(field(a_slot + 1u)) + image * u32(field(a_slot + 2u));
  let b_base = u32(field(b_slot + 1u)) + image * u32(field(b_slot + 2u));
  let a_kind = field(a_slot + 3u);
  let b_kind = field(b_slot + 3u);
  let a_shift = per_word_shift(a_kind);
  let b_shift = per_word_shift(b_kind);
  let a_step = u32(field(${PRODUCT_A_STEP}u));
  let b_step = u32(field(${PRODUCT_B_STEP}u));
  var a_index = a_first;
  var b_index = b_first;
  var sum = 0;
  for (var k = 0u; k < inner; k += 1u) {
    let a = unpack(word_of(a_source, a_base + (a_index >> a_shift)), a_index, a_kind);
    let b = unpack(word_of(b_source, b_base + (b_index >> b_shift)), b_index, b_kind);
    sum += select(b * a, b << u32((15 - a) & 31), log2);
    a_index += a_step;
    b_index += b_step;
  }
  return sum;
}
`;

/** `y[o,n] = b[n] + Σ_k x[o,k]·w[n,k]`; w in slot 1. */
export const linearCode: string = elementKernel(/* wgsl */ `${sumOfProducts}
fn element(image: u32, flat: u32) -> i32 {
  let inner = u32(field(${PRODUCT_K}u));
  let columns = u32(field(${PRODUCT_N}u));
  let row = flat / columns;
  let column = flat - row * columns;
  let sum = sum_of_products(image, locate(0u, row * inner), column * inner, inner, false);
  if (field(${PRODUCT_BIAS}u) >= 0) {
    return sum + constant(u32(field(${PRODUCT_BIAS}u)) + column);
  }
  return sum;
}
`);

/** `y[g,i,j] = Σ_k a[g,i,k]·b[g,k,j]`, or with codes `Σ_k b[g,k,j]·2^(15 - a[g,i,k])`. */
export const matmulCode: string = elementKernel(/* wgsl */ `${sumOfProducts}
fn element(image: u32, flat: u32) -> i32 {
  let inner = u32(field(${PRODUCT_K}u));
  let columns = u32(field(${PRODUCT_N}u));
  let line = flat / columns;
  let column = flat - line * columns;
  let group = line / u32(field(${PRODUCT_ROWS}u));
  let a_first = locate(0u, line * inner);
  let b_first = locate(1u, group * inner * columns + column);
  return sum_of_products(image, a_first, b_first, inner, field(${PRODUCT_LOG2}u) == 1);
}
`);
