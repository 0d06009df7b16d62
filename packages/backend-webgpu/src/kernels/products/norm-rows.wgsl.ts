import { rowOfTile } from './wide.wgsl.js';

/**
 * Two words a quad of entries: i16 at first, then its codes in the first of the two. A lane touches its own quads only, so
 * that sums are all that needs a barrier.
 */
export function normRows(quantize: boolean, wide: boolean): string {
  const wideWord = wide
    ? /* wgsl */ `
    if (pair_shift == 1u) {
      tile[at] = wide_word(tile[at], tile[at + 1u], r & 1u);
      continue;
    }`
    : '';
  const last = quantize
    ? /* wgsl */ `
  make_code(r, thread, lo, hi);
  let code = codes[r];
  for (var w = lane; w < words; w += LANES) {
    let at = r * TILE + 2u * w;${wideWord}
    tile[at] = quantized(tile[at], tile[at + 1u], code);
  }`
    : '';
  const store = quantize
    ? /* wgsl */ `
    lo = min(lo, min(min(y.x, y.y), min(y.z, y.w)));
    hi = max(hi, max(max(y.x, y.y), max(y.z, y.w)));
    tile[at] = pack_i16(y.x, y.y);
    tile[at + 1u] = pack_i16(y.z, y.w);`
    : /* wgsl */ `
    tile[at] = pack_i8(y);`;
  return /* wgsl */ `
var<workgroup> parts: array<vec2<u32>, 64>;

fn entries(at: u32) -> vec4<i32> {
  let low = tile[at];
  let high = tile[at + 1u];
  return vec4<i32>(lane_i16(low, 0u), lane_i16(low, 1u), lane_i16(high, 0u), lane_i16(high, 1u));
}

fn normalized(x: i32, mean: i32, factor: i32, c: u32) -> i32 {
  return scaled(norm_scale(x - mean, factor) + parameter(19u, c), c);
}

fn prepare(image: u32, first: u32, thread: u32) {
  let r = thread / LANES;
  let lane = thread % LANES;
  let words = u32(field(8u));
  let source = row_address(image, first + ${rowOfTile('r', wide)});
  var sum = 0;
  for (var w = lane; w < words; w += LANES) {
    let at = r * TILE + 2u * w;
    tile[at] = arena[source + 2u * w];
    tile[at + 1u] = arena[source + 2u * w + 1u];
    let x = entries(at);
    sum += x.x + x.y + x.z + x.w;
  }
  parts[thread] = vec2<u32>(bitcast<u32>(sum), 0u);
  workgroupBarrier();
  sum = 0;
  for (var i = 0u; i < LANES; i++) { sum += bitcast<i32>(parts[r * LANES + i].x); }
  let mean = div_rne(sum, i32(4u * words));
  workgroupBarrier();
  var v = vec2<u32>();
  for (var w = lane; w < words; w += LANES) {
    let x = entries(r * TILE + 2u * w) - vec4<i32>(mean);
    v = norm_add_square(norm_add_square(norm_add_square(norm_add_square(v, x.x), x.y), x.z), x.w);
  }
  parts[thread] = v;
  workgroupBarrier();
  v = vec2<u32>();
  for (var i = 0u; i < LANES; i++) { v = wide_add(v, parts[r * LANES + i]); }
  let factor = norm_factor(v);
  var lo = 0;
  var hi = 0;
  for (var w = lane; w < words; w += LANES) {
    let at = r * TILE + 2u * w;
    var x = entries(at);
    var y = vec4<i32>();
    for (var i = 0u; i < 4u; i++) {
      y = vec4<i32>(y.yzw, normalized(x.x, mean, factor, 4u * w + i));
      x = x.yzwx;
    }${store}
  }${last}
}
`;
}
