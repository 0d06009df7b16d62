import { createProgramBuilder, type ValidatedProgram, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { OUT_BASE, OUT_COUNT, OUT_IMAGE_WORDS } from '../kernels/common/record-words.js';
import { MOST_BINDING_BYTES } from '../layout.js';
import { ConstantPool, type WantedConstant } from './constants.js';
import { planProgram } from './plan-program.js';

const UNFUSED = { packed: false, fuse: false } as const;
const ramp = (count: number): number[] => Array.from({ length: count }, (_, i) => (i % 200) - 100);

/** Pixels [rows,6] → i8 → linear [rows,4] → a head that reads row 0 alone; `side` reads all of it and is read by nothing. */
function program(rows: number): ValidatedProgram {
  const b = createProgramBuilder('pixels', [rows, 6]);
  b.constant('table', 'i8', [256], ramp(256));
  b.constant('w', 'i8', [4, 6], ramp(24));
  b.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'table' });
  b.add({ op: 'linear', result: 'y', x: { value: 'x' }, w: 'w' });
  const scale = { m: 1, e: 2, z: 0, axis: 0, run: 0, to: 'i32' } as const;
  b.add({ op: 'requantize', result: 'side', x: { value: 'y' }, ...scale });
  const first = { value: 'y', view: { offset: 0, shape: [4], strides: [1] } };
  b.add({ op: 'requantize', result: 'head', x: first, ...scale });
  return validate(b.build({ output: 'head' }), { fragment: true });
}

describe('planProgram', () => {
  it('leaves out what nothing needs, and rows that nothing reads', () => {
    const { dispatches, outputs } = planProgram(program(5), ['head'], 1, UNFUSED);
    expect(dispatches.map(({ result }) => result.value)).toEqual(['x', 'y', 'head']);
    expect(dispatches.map(({ record }) => record[OUT_COUNT])).toEqual([6, 4, 4]);
    expect(dispatches.map(({ whole }) => whole)).toEqual([false, false, true]);
    expect(outputs.map(({ value }) => value)).toEqual(['head']);
  });

  it('makes all of what is asked for', () => {
    const { dispatches, outputs } = planProgram(program(5), ['head', 'side', 'x', 'pixels'], 1, UNFUSED);
    expect(dispatches.map(({ record }) => record[OUT_COUNT])).toEqual([30, 20, 20, 4]);
    expect(outputs.map(({ value }) => value)).toEqual(['x', 'side', 'head']);
  });

  it('never gives one word to two values of the same time', () => {
    const { dispatches, input, arenaWords, capacity } = planProgram(program(7), ['head', 'side'], 3, UNFUSED);
    expect(capacity).toBe(3);
    const places = dispatches.map(({ record }) => ({
      base: record[OUT_BASE] as number,
      end: (record[OUT_BASE] as number) + (record[OUT_IMAGE_WORDS] as number) * capacity,
    }));
    const [x, y, side, head] = places;
    for (const { end } of places) expect(end).toBeLessThanOrEqual(arenaWords);
    const apart = (a: typeof x, b: typeof x): boolean => {
      return a !== undefined && b !== undefined && (a.end <= b.base || b.end <= a.base);
    };
    const pixels = { base: input.base, end: input.base + input.imageWords * capacity };
    expect([apart(x, pixels), apart(x, y), apart(y, side), apart(y, head)]).toEqual([true, true, true, true]);
  });

  it('takes fewer images at once where a batch passes one binding, and refuses an image that does', () => {
    // 24 bytes of pixels and i8 each, and 16 of sums, in each of a million rows: at most 5 or so fit.
    const rows = 1 << 20;
    const plan = planProgram(program(rows), ['side'], 64, UNFUSED);
    expect(plan.capacity).toBeGreaterThan(1);
    expect(plan.capacity).toBeLessThan(64);
    expect(plan.arenaWords * 4).toBeLessThanOrEqual(MOST_BINDING_BYTES);
    const wide = planProgram(program(rows), ['side'], plan.capacity + 1, UNFUSED);
    expect(wide.capacity).toBe(plan.capacity);
    expect(() => planProgram(program(rows * 8), ['side'], 1, UNFUSED)).toThrow(
      expect.objectContaining({ code: 'E_MEMORY' }),
    );
  });
});

describe('ConstantPool', () => {
  const wanted = (key: string, words: number): WantedConstant => ({ key, words, write: (to) => to.fill(words) });

  it('holds equal constants once, each at a multiple of four words', () => {
    const pool = new ConstantPool();
    const first = pool.place([wanted('a', 3), wanted('b', 5)], 'x');
    const second = pool.place([wanted('b', 5), wanted('c', 1), wanted('c', 1)], 'y');
    expect(first).toEqual({ buffer: 0, at: [0, 4] });
    expect(second).toEqual({ buffer: 0, at: [4, 12, 12] });
    expect([...pool.fill(0)]).toEqual([3, 3, 3, 0, 5, 5, 5, 5, 5, 0, 0, 0, 1, 0, 0, 0]);
  });

  it("keeps one op's constants together, in another buffer where the last is full", () => {
    const pool = new ConstantPool();
    const most = MOST_BINDING_BYTES / 4;
    expect(pool.place([wanted('a', most - 8), wanted('b', 4)], 'x').buffer).toBe(0);
    expect(pool.place([wanted('b', 4), wanted('c', 8)], 'y')).toEqual({ buffer: 1, at: [0, 4] });
    expect(pool.place([wanted('a', most - 8)], 'z').buffer).toBe(0);
    expect(() => pool.place([wanted('d', most + 4)], 'w')).toThrow(expect.objectContaining({ code: 'E_MEMORY' }));
  });
});
