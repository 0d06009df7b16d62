import { createRandom } from '@ivit/backend-testkit';
import type { Operand } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { ProgramMaker } from '../testing/program-maker.js';
import { planProgram } from './plan-program.js';

/** Values that have a dispatch of their own. */
function planned(maker: ProgramMaker, output: string): readonly string[] {
  const { dispatches } = planProgram(maker.build(output), [output], 1, { packed: false, fuse: true });
  return dispatches.map(({ result }) => result.value);
}

/** A norm [4,16] to i16, row scales of rows under a view, a layer, and its requantize. */
function normed(view: NonNullable<Operand['view']>): { readonly norm: string; readonly values: readonly string[] } {
  const maker = new ProgramMaker(createRandom(1));
  const norm = maker.norm(maker.value('i16', [4, 16]), 'i16', false);
  const { row, codes } = maker.quantizeRows({ value: norm, view }, 0);
  const sum = maker.linear({ value: codes }, 16, 8, true);
  const wish = { axis: 1, run: 1, channels: 8, row } as const;
  return { norm, values: planned(maker, maker.requantize({ value: sum }, 'i16', wish)) };
}

describe('a norm in front of a layer', () => {
  it('runs with it where the layer reads its rows in order', () => {
    const { norm, values } = normed({ offset: 0, shape: [4, 16], strides: [16, 1] });
    expect(values).not.toContain(norm);
  });

  it('stays apart where rows are left out, come twice or in another order', () => {
    for (const view of [
      { offset: 16, shape: [3, 16], strides: [16, 1] },
      { offset: 0, shape: [4, 16], strides: [0, 1] },
      { offset: 48, shape: [4, 16], strides: [-16, 1] },
    ]) {
      const { norm, values } = normed(view);
      expect(values).toContain(norm);
    }
  });
});

describe('rows that a layer takes as i16', () => {
  /** Rows 0 … 1 as i16 from row `from` on, the others from row 2 on as i8. */
  function both(from: number, constant: boolean): { readonly both: string; readonly values: readonly string[] } {
    const maker = new ProgramMaker(createRandom(2));
    const { builder } = maker;
    const x = maker.value('i16', [8, 16]);
    const others = { value: x, view: { offset: 32, shape: [6, 16], strides: [16, 1] } };
    const { row, codes } = maker.quantizeRows(others, 0);
    const w = maker.constant('i8', [8, 16], -128, 127);
    const own = constant ? w : maker.constant('i8', [8, 16], -128, 127);
    const a = { value: x, view: { offset: 16 * from, shape: [1, 2, 16], strides: [32, 16, 1] } };
    const b = { constant: own, view: { offset: 0, shape: [1, 16, 8], strides: [0, 1, 16] } };
    const wide = builder.add({ op: 'matmul', result: 'wide', a, b });
    const channels = { axis: 1, run: 1, channels: 8 } as const;
    const first = maker.requantize(builder.reshape(wide, [2, 8]), 'i16', channels);
    const sum = builder.add({ op: 'linear', result: 'sum', x: { value: codes }, w });
    const rest = maker.requantize({ value: sum }, 'i16', { ...channels, row });
    const operands = [{ value: first }, { value: rest }];
    const result = builder.add({ op: 'concat', result: 'both', operands });
    return { both: result, values: planned(maker, result) };
  }

  it('run with the others where both are rows of one value, by the same weights', () => {
    const { both: result, values } = both(0, true);
    expect(values.filter((value) => /^(wide|sum|q|row|codes)/.test(value))).toEqual([]);
    expect(values.at(-1)).toBe(result);
  });

  it('stay apart where they lie elsewhere, or have weights of their own', () => {
    expect(both(1, true).values).toContain('wide');
    expect(both(0, false).values).toContain('wide');
  });
});
