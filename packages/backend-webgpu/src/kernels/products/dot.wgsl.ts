/**
 * `dot4(a, b)`: the four products of the signed bytes of two words, summed. `dot4I8Packed` where the language has it
 * (`packed_4x8_integer_dot_product`), and the same sum of four products where not: |sum| ≤ 4·2^14, nothing wraps.
 */
export function dot(packed: boolean): string {
  if (packed) return 'fn dot4(a: u32, b: u32) -> i32 { return dot4I8Packed(a, b); }\n';
  return /* wgsl */ `fn dot4(a: u32, b: u32) -> i32 {
  let x = bitcast<i32>(a);
  let y = bitcast<i32>(b);
  return ((x << 24u) >> 24u) * ((y << 24u) >> 24u) + ((x << 16u) >> 24u) * ((y << 16u) >> 24u)
    + ((x << 8u) >> 24u) * ((y << 8u) >> 24u) + (x >> 24u) * (y >> 24u);
}
`;
}
