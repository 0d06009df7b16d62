import type { IntegerArray } from './dtype.js';
import { tensorError } from './errors.js';
import { checkShape, denseStrides, MAX_RANK } from './shape.js';

/** A strided window, in elements; stride 0 broadcasts. */
export interface View {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
}

/** The whole of a dense tensor as a view. */
export function denseView(shape: readonly number[]): View {
  return { offset: 0, shape, strides: denseStrides(shape) };
}

/** Whether the view's elements lie one after the other in row-major order. Strides of size-1 axes do not matter. */
export function isDenseView(view: View): boolean {
  let stride = 1;
  for (let axis = view.shape.length - 1; axis >= 0; axis--) {
    const size = view.shape[axis] as number;
    if (size !== 1 && view.strides[axis] !== stride) return false;
    stride *= size;
  }
  return true;
}

/** A view broadcast to `shape`: missing leading axes and sizes of 1 repeat. */
export function broadcastView(view: View, shape: readonly number[]): View {
  const missing = shape.length - view.shape.length;
  const strides = shape.map((size, axis) => {
    const own = view.shape[axis - missing];
    return axis < missing || (own === 1 && size !== 1) ? 0 : (view.strides[axis - missing] as number);
  });
  return { offset: view.offset, shape: [...shape], strides };
}

/** Smallest and largest index a view reaches; sizes ≥ 1, strides of either sign. */
export function viewBounds(view: View): { readonly min: number; readonly max: number } {
  let min = view.offset;
  let max = view.offset;
  for (let axis = 0; axis < view.shape.length; axis++) {
    const reach = ((view.shape[axis] as number) - 1) * (view.strides[axis] as number);
    if (reach < 0) min += reach;
    else max += reach;
  }
  return { min, max };
}

/**
 * Checks that a view is well formed and that every index it reaches is in 0 … length - 1.
 * @throws RangeError (E_SHAPE, E_VIEW)
 */
export function checkView(view: View, length: number): void {
  checkShape(view.shape);
  if (view.strides.length !== view.shape.length) {
    throw tensorError('E_VIEW', `${view.strides.length} strides for rank ${view.shape.length}`);
  }
  for (const integer of [view.offset, ...view.strides]) {
    if (!Number.isSafeInteger(integer)) throw tensorError('E_VIEW', `${integer} is not an integer`);
  }
  const { min, max } = viewBounds(view);
  if (!Number.isSafeInteger(min) || !Number.isSafeInteger(max) || min < 0 || max >= length) {
    throw tensorError('E_VIEW', `the view reaches ${min} … ${max}, outside 0 … ${length - 1}`);
  }
}

/** A view with its axes merged as far as they go, padded in front to rank 6: what {@link copyView} walks. */
export interface ViewPlan {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly count: number;
  /** The view is one contiguous stretch of `count` elements from `offset`. */
  readonly contiguous: boolean;
}

/** Merges neighboring axes that one stride can walk. Compute once per view, not per run. */
export function planView(view: View): ViewPlan {
  const shape: number[] = [];
  const strides: number[] = [];
  let count = 1;
  for (let axis = 0; axis < view.shape.length; axis++) {
    const size = view.shape[axis] as number;
    const stride = view.strides[axis] as number;
    count *= size;
    if (size === 1) continue;
    const last = shape.length - 1;
    if (last >= 0 && strides[last] === stride * size) {
      shape[last] = (shape[last] as number) * size;
      strides[last] = stride;
    } else {
      shape.push(size);
      strides.push(stride);
    }
  }
  const contiguous = shape.length === 0 || (shape.length === 1 && strides[0] === 1);
  while (shape.length < MAX_RANK) {
    shape.unshift(1);
    strides.unshift(0);
  }
  return { offset: view.offset, shape, strides, count, contiguous };
}

/**
 * Copies the elements of a view, in row-major order, to `out[outOffset …]`: reshape, slice, transpose and broadcast made
 * dense. Allocates nothing.
 * @param xOffset index of the image's element 0 in `x`; the view's own offset is added.
 * The caller has checked the view ({@link checkView}) and that the elements fit out's type.
 */
export function copyView(out: IntegerArray, outOffset: number, x: IntegerArray, xOffset: number, plan: ViewPlan): void {
  const { shape, strides } = plan;
  const [n0, n1, n2, n3, n4, n5] = shape as readonly [number, number, number, number, number, number];
  const [s0, s1, s2, s3, s4, s5] = strides as readonly [number, number, number, number, number, number];
  let to = outOffset;
  let p0 = xOffset + plan.offset;
  for (let i0 = 0; i0 < n0; i0++, p0 += s0) {
    let p1 = p0;
    for (let i1 = 0; i1 < n1; i1++, p1 += s1) {
      let p2 = p1;
      for (let i2 = 0; i2 < n2; i2++, p2 += s2) {
        let p3 = p2;
        for (let i3 = 0; i3 < n3; i3++, p3 += s3) {
          let p4 = p3;
          for (let i4 = 0; i4 < n4; i4++, p4 += s4) {
            let from = p4;
            for (let i5 = 0; i5 < n5; i5++, from += s5) out[to++] = x[from] as number;
          }
        }
      }
    }
  }
}
