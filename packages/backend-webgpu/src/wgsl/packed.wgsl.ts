/** Elements of packed words (layout.ts): element i of its word, and words of elements. */
export const packed = /* wgsl */ `
fn lane_i8(word: u32, i: u32) -> i32 { return extractBits(bitcast<i32>(word), (i & 3u) * 8u, 8u); }
fn lane_u8(word: u32, i: u32) -> u32 { return extractBits(word, (i & 3u) * 8u, 8u); }
fn lane_i16(word: u32, i: u32) -> i32 { return extractBits(bitcast<i32>(word), (i & 1u) * 16u, 16u); }

fn pack_i8(v: vec4<i32>) -> u32 {
  let b = bitcast<vec4<u32>>(v) & vec4<u32>(255u);
  return b.x | (b.y << 8u) | (b.z << 16u) | (b.w << 24u);
}

fn pack_i16(a: i32, b: i32) -> u32 { return (bitcast<u32>(a) & 0xffffu) | (bitcast<u32>(b) << 16u); }
`;
