import { divide } from '../../wgsl/divide.wgsl.js';
import { wide } from '../../wgsl/wide.wgsl.js';
import { elementKernel } from '../common/element-kernel.wgsl.js';
import { OWN } from '../common/record-words.js';

/** Elements that are averaged, and elements after their axis. */
export const MEAN_SIZE: number = OWN;
export const MEAN_INNER: number = OWN + 1;

/**
 * `y = rne(Σx/n)`. |Σx| < 2^51 is summed in 64 bits. The mean is within int32, so |Σx| ≤ 2^31·n: the quotient fits u32. Rounding
 * the magnitude is the same, since ties go to the even neighbor on either side of 0.
 */
export const meanCode: string = elementKernel(/* wgsl */ `${wide}${divide}
fn element(image: u32, flat: u32) -> i32 {
  let size = u32(field(${MEAN_SIZE}u));
  let inner = u32(field(${MEAN_INNER}u));
  let column = flat % inner;
  let start = (flat - column) * size + column;
  var sum = vec2<u32>(0u, 0u);
  for (var i = 0u; i < size; i += 1u) {
    sum = wide_add(sum, wide_of(load(0u, image, start + i * inner)));
  }
  let negative = bitcast<i32>(sum.y) < 0;
  if (negative) {
    sum = wide_add(vec2<u32>(~sum.x, ~sum.y), vec2<u32>(1u, 0u));
  }
  var quotient = div_wide(sum, size);
  let rest = sum.x - quotient * size;
  if (rest > size - rest || (rest == size - rest && (quotient & 1u) == 1u)) {
    quotient += 1u;
  }
  let mean = bitcast<i32>(quotient);
  return select(mean, -mean, negative);
}
`);
