/** Softmax of rows of i16 logits in workgroup memory, in place. */

export interface SoftmaxForm {
  readonly exponential: keyof typeof exponentials;
  readonly bits: 8 | 16;
}

/** `weight(d)`, and how weights add up. */
export const exponentials = {
  pow2: /* wgsl */ `
fn weight(d: u32) -> u32 {
  let octave = u32(field(27u));
  let parts = pow2_parts(d, octave);
  return pow2_shifted(constants[u32(field(26u)) + (parts.x << (8u - octave))], parts.y);
}
fn add_weights(a: u32, b: u32) -> u32 { return a + b; }
`,
  table: /* wgsl */ `
fn weight(d: u32) -> u32 { return constants[u32(field(26u)) + min(d, u32(field(27u)))]; }
fn add_weights(a: u32, b: u32) -> u32 { return saturating_sum(a, b); }
`,
} as const;

/** `softmax_row`: logits at a quad's two words to probabilities. */
export function softmaxText(form: SoftmaxForm): string {
  const factor = form.exponential === 'pow2' ? 'pow2_factor(sum)' : 'vec2<u32>(MOST / sum, 0u)';
  const one = form.exponential === 'pow2' ? 'pow2_probability(e, factor, BITS)' : 'probability(e, factor.x, BITS)';
  const store =
    form.bits === 8
      ? '    line[at] = pack_i8(p);'
      : `    line[at] = pack_i8(p) ^ 0x80808080u;
    line[at + 1u] = pack_i8(p >> vec4<u32>(8u));`;
  return /* wgsl */ `
const BITS: u32 = ${form.bits}u;

fn logit(at: u32, c: u32) -> i32 { return lane_i16(line[at + (c >> 1u)], c); }

/** Row r by its lanes: all of them enter, with a barrier after each of their finds. */
fn softmax_row(r: u32, thread: u32, keys: u32) {
  let lane = thread % LANES;
  var peak = -32768;
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let at = r * LINE + 2u * quad;
    for (var c = 0u; c < 4u; c++) {
      if (4u * quad + c < keys) { peak = max(peak, logit(at, c)); }
    }
  }
  parts[thread] = bitcast<u32>(peak);
  workgroupBarrier();
  for (var i = 0u; i < LANES; i++) { peak = max(peak, bitcast<i32>(parts[r * LANES + i])); }
  workgroupBarrier();
  var sum = 0u;
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let at = r * LINE + 2u * quad;
    for (var c = 0u; c < 4u; c++) {
      if (4u * quad + c < keys) { sum = add_weights(sum, weight(u32(peak - logit(at, c)))); }
    }
  }
  parts[thread] = sum;
  workgroupBarrier();
  sum = 0u;
  for (var i = 0u; i < LANES; i++) { sum = add_weights(sum, parts[r * LANES + i]); }
  let factor = ${factor};
  for (var quad = lane; quad < QUADS; quad += LANES) {
    let at = r * LINE + 2u * quad;
    var p = vec4<i32>();
    for (var c = 0u; c < 4u; c++) {
      var own = 0;
      if (4u * quad + c < keys) {
        let e = weight(u32(peak - logit(at, c)));
        own = ${one};
      }
      p = vec4<i32>(p.yzw, own);
    }
${store}
  }
}
`;
}
