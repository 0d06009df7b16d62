import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elementCount } from './shape.js';
import { checkView, copyView, denseView, isDenseView, planView, type View, viewBounds } from './view.js';

/** Every index of a view in row-major order, by counting. */
function indices(view: View): number[] {
  let found = [view.offset];
  view.shape.forEach((size, axis) => {
    const stride = view.strides[axis] as number;
    found = found.flatMap((start) => Array.from({ length: size }, (_, i) => start + i * stride));
  });
  return found;
}

const anyView = fc.integer({ min: 0, max: 6 }).chain((rank) =>
  fc.record({
    offset: fc.integer({ min: 0, max: 40 }),
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: rank, maxLength: rank }),
    strides: fc.array(fc.integer({ min: -3, max: 12 }), { minLength: rank, maxLength: rank }),
  }),
);

/** Views as models make them: a dense tensor sliced, permuted, broadcast, where axes can merge. */
const modelView = fc
  .tuple(
    fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
    fc.array(fc.nat(), { minLength: 6, maxLength: 6 }),
    fc.boolean(),
  )
  .map(([shape, order, permute]): View => {
    const dense = denseView(shape);
    const axes = shape.map((_, axis) => axis);
    if (permute) axes.sort((p, q) => (order[p] as number) - (order[q] as number));
    return {
      offset: 0,
      shape: axes.map((axis) => shape[axis] as number),
      strides: axes.map((axis) => dense.strides[axis] as number),
    };
  });

describe('views', () => {
  it('bounds, plan and copy agree with enumeration', () => {
    let checked = 0;
    fc.assert(
      fc.property(fc.oneof(anyView, modelView), fc.integer({ min: 0, max: 9 }), (view, xOffset) => {
        const all = indices(view);
        const { min, max } = viewBounds(view);
        expect(min).toBe(Math.min(...all));
        expect(max).toBe(Math.max(...all));
        expect(isDenseView(view)).toBe(all.every((index, i) => index === view.offset + i));
        const plan = planView(view);
        expect(plan.count).toBe(all.length);
        expect(plan.count).toBe(elementCount(view.shape));
        expect(plan.contiguous).toBe(all.every((index, i) => index === view.offset + i));
        if (min < 0) {
          expect(() => checkView(view, 1e9)).toThrowError(expect.objectContaining({ code: 'E_VIEW' }));
          return;
        }
        checked += 1;
        checkView(view, max + 1);
        expect(() => checkView(view, max)).toThrowError(expect.objectContaining({ code: 'E_VIEW' }));
        const x = Int32Array.from({ length: xOffset + max + 1 }, (_, i) => i * 7 - 3);
        const out = new Int32Array(all.length + 2);
        copyView(out, 1, x, xOffset, plan);
        expect([...out]).toEqual([0, ...all.map((index) => (xOffset + index) * 7 - 3), 0]);
      }),
      { numRuns: 1500 },
    );
    expect(checked).toBeGreaterThan(700);
  });

  it('merges axes', () => {
    expect(planView(denseView([2, 3, 4, 5])).shape).toEqual([1, 1, 1, 1, 1, 120]);
    expect(planView({ offset: 3, shape: [4, 1, 6], strides: [6, 99, 1] }).contiguous).toBe(true);
    expect(planView({ offset: 0, shape: [5, 7], strides: [0, 0] }).shape).toEqual([1, 1, 1, 1, 1, 35]);
  });

  it('refuses malformed views', () => {
    const bad: [View, string][] = [
      [{ offset: 0, shape: [1, 1, 1, 1, 1, 1, 1], strides: [0, 0, 0, 0, 0, 0, 0] }, 'E_SHAPE'],
      [{ offset: 0, shape: [0], strides: [1] }, 'E_SHAPE'],
      [{ offset: 0, shape: [1.5], strides: [1] }, 'E_SHAPE'],
      [{ offset: 0, shape: [2 ** 30, 2 ** 30], strides: [0, 0] }, 'E_SHAPE'],
      [{ offset: 0, shape: [2, 2], strides: [1] }, 'E_VIEW'],
      [{ offset: 0.5, shape: [2], strides: [1] }, 'E_VIEW'],
      [{ offset: 0, shape: [2 ** 27], strides: [2 ** 27] }, 'E_VIEW'],
    ];
    for (const [view, code] of bad) {
      expect(() => checkView(view, 100)).toThrowError(expect.objectContaining({ name: 'RangeError', code }));
    }
  });
});
