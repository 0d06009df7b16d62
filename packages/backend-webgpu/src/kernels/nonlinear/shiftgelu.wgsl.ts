import { reduction, rowKernel } from '../common/row-kernel.wgsl.js';

/**
 * `p = max(x)`, `E = sexp(x - p)`, `F = min(sexp(-p), M)`, `S = min(E + F, M)`, `y = x·min((E·(M // S)) >> 24, 127)`, x int8.
 *
 * Both exponentials are tables of 256 entries, at most M: E + F fits u32, and E·(M // S) ≤ M since E ≤ S.
 * Words: 8 first word of E by the distance p - x; 9 first word of F by p + 128.
 */
export const GELU_DISTANCE = 8;
export const GELU_OTHER = 9;

export const shiftgeluCode: string = rowKernel(/* wgsl */ `
${reduction('max', '0u', (a, b) => `max(${a}, ${b})`)}
fn survey(image: u32, row: u32, length: u32, slot: u32, thread: u32) {
  var top = identity_max;
  for (var i = thread; i < length; i += 64u) {
    top = max(top, u32(load(0u, image, row * length + i) + 128));
  }
  top = reduce_max(thread, top);
  if (thread == 0u) {
    found[slot] = vec4<u32>(top, constants[u32(field(9u)) + top], 0u, 0u);
  }
}

fn element(image: u32, row: u32, column: u32, length: u32, slot: u32) -> i32 {
  let x = load(0u, image, row * length + column);
  let e = constants[u32(field(8u)) + found[slot].x - u32(x + 128)];
  let sum = min(e + found[slot].y, 0x7fffffffu);
  return x * i32(min((e * (0x7fffffffu / sum)) >> 24u, 127u));
}
`);
