/** Elements that move: nothing is computed but where each one comes from. */
import { elementKernel } from '../common/element-kernel.wgsl.js';
import { OWN } from '../common/record-words.js';

/** Word of the constants at which the row numbers begin. */
export const GATHER_ROWS: number = OWN;
export const GATHER_WIDTH: number = OWN + 1;

/** `y[r·width + i] = x[rows[r]·width + i]`. */
export const gatherCode: string = elementKernel(/* wgsl */ `
fn element(image: u32, flat: u32) -> i32 {
  let width = u32(field(${GATHER_WIDTH}u));
  let row = flat / width;
  let source = u32(constant(u32(field(${GATHER_ROWS}u)) + row));
  return load(0u, image, source * width + flat - row * width);
}
`);

/** Result elements at which operands 1, 2 and 3 begin; beyond the result where there are fewer. */
export const CONCAT_STARTS: number = OWN;

/** Up to four operands one after the other; with one it makes a view dense. */
export const concatCode: string = elementKernel(/* wgsl */ `
fn element(image: u32, flat: u32) -> i32 {
  var slot = 0u;
  var start = 0u;
  for (var i = 0u; i < 3u; i += 1u) {
    let next = u32(field(${CONCAT_STARTS}u + i));
    if (flat >= next) {
      slot = i + 1u;
      start = next;
    }
  }
  return load(slot, image, flat - start);
}
`);
