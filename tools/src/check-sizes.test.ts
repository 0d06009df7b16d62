import { describe, expect, it } from 'vitest';
import { BUDGET, checkSizes, measureSizes, overBudget } from './check-sizes.js';

describe('check-sizes', () => {
  it('finds each part where it belongs, and the decoders outside of what is loaded at once', async () => {
    const { engine, jpeg, png, runtimeAlone, backendAlone } = await measureSizes();
    for (const size of [jpeg, png]) expect(size).toBeGreaterThan(1000);
    expect(engine).toBeGreaterThan(Math.max(runtimeAlone, backendAlone));
    expect(engine).toBeLessThan(runtimeAlone + backendAlone);
  });

  it('says what is over budget', () => {
    expect(overBudget({ engine: BUDGET.engine, jpeg: BUDGET.withJpeg - BUDGET.engine })).toEqual([]);
    expect(overBudget({ engine: BUDGET.engine + 1, jpeg: 0 })).toEqual([
      'runtime and backend-cpu: 60001 bytes, at most 60000',
    ]);
    expect(overBudget({ engine: BUDGET.engine, jpeg: BUDGET.withJpeg })).toHaveLength(1);
  });

  it('stays within the budget', async () => {
    const lines: string[] = [];
    expect(await checkSizes((line) => lines.push(line))).toEqual([]);
    expect(lines.join('\n')).toMatch(/runtime \+ backend-cpu +\d+ {2}of 60000/);
  });
});
