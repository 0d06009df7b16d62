import { bindings } from '../bindings.wgsl.js';
import { operands } from './operands.wgsl.js';

/** Invocations of a workgroup. */
export const ELEMENT_GROUP = 64;

/**
 * A kernel whose result elements do not know of each other: one invocation makes one word of them.
 *
 * @param element WGSL that defines `fn element(image: u32, flat: u32) -> i32`, the value of one result element
 */
export function elementKernel(element: string): string {
  return /* wgsl */ `${bindings}${operands}${element}
@compute @workgroup_size(${ELEMENT_GROUP})
fn main(
  @builtin(workgroup_id) group: vec3<u32>,
  @builtin(num_workgroups) groups: vec3<u32>,
  @builtin(local_invocation_index) thread: u32,
) {
  let word = (group.y * groups.x + group.x) * ${ELEMENT_GROUP}u + thread;
  let count = u32(field(2u));
  let kind = field(3u);
  let shift = per_word_shift(kind);
  let first = word << shift;
  // A whole grid may be longer than the result; its words may be, too.
  if (word >= (count + (1u << shift) - 1u) >> shift) {
    return;
  }
  let last = min(first + (1u << shift), count);
  var packed = 0u;
  for (var flat = first; flat < last; flat += 1u) {
    packed |= place(element(group.z, flat), flat, kind);
  }
  arena[u32(field(0u)) + group.z * u32(field(1u)) + word] = packed;
}
`;
}
