import { bindings } from '../bindings.wgsl.js';
import { operands } from './operands.wgsl.js';

/** Invocations of a workgroup. */
export const ROW_GROUP = 64;
/** Most rows of a workgroup: so many 8-bit rows of odd length end on a whole word. */
export const MOST_ROWS = 4;

/** Combines one u32 of each invocation: all get the result. */
export function reduction(name: string, identity: string, combine: (a: string, b: string) => string): string {
  return /* wgsl */ `
fn reduce_${name}(thread: u32, own: u32) -> u32 {
  lanes[thread] = own;
  workgroupBarrier();
  for (var half = ${ROW_GROUP >> 1}u; half > 0u; half >>= 1u) {
    if (thread < half) {
      let a = lanes[thread];
      let b = lanes[thread + half];
      lanes[thread] = ${combine('a', 'b')};
    }
    workgroupBarrier();
  }
  let all = workgroupUniformLoad(&lanes[0]);
  return all;
}
const identity_${name}: u32 = ${identity};
`;
}

/**
 * A kernel whose result elements need something of their whole row: a workgroup takes as many rows as end on a whole word.
 *
 * @param body WGSL that defines `fn survey(image: u32, row: u32, length: u32, slot: u32, thread: u32)`, which all
 *   invocations enter together and which leaves what it finds in `found[slot]`; and
 *   `fn element(image: u32, row: u32, column: u32, length: u32, slot: u32) -> i32`
 */
export function rowKernel(body: string): string {
  return /* wgsl */ `${bindings}${operands}
var<workgroup> lanes: array<u32, ${ROW_GROUP}>;
/** What the survey of each row found. */
var<workgroup> found: array<vec4<u32>, ${MOST_ROWS}>;
${body}
@compute @workgroup_size(${ROW_GROUP})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let count = u32(field(2u));
  let kind = field(3u);
  let shift = per_word_shift(kind);
  let length = u32(field(4u));
  let rows = u32(field(5u));
  let first = (group.y * groups.x + group.x) * rows;
  if (first * length >= count) {
    return;
  }
  for (var slot = 0u; slot < rows; slot += 1u) {
    if ((first + slot) * length < count) {
      survey(group.z, first + slot, length, slot, thread);
    }
  }
  workgroupBarrier();
  let base = u32(field(0u)) + group.z * u32(field(1u));
  let end = min((first + rows) * length, count);
  for (var word = ((first * length) >> shift) + thread; word << shift < end; word += ${ROW_GROUP}u) {
    var packed = 0u;
    let last = min((word + 1u) << shift, end);
    for (var flat = word << shift; flat < last; flat += 1u) {
      let row = flat / length;
      packed |= place(element(group.z, row, flat - row * length, length, row - first), flat, kind);
    }
    arena[base + word] = packed;
  }
}
`;
}
