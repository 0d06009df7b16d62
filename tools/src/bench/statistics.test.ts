import { describe, expect, it } from 'vitest';
import { type Engine, median, type Precision, type Row, ratiosAt, scaling, summarize } from './statistics.js';

function row(engine: Engine, precision: Precision, variant: string, times: readonly number[], threads = 1): Row {
  const place = { environment: 'node20', threads, model: 'deit-tiny', batch: 1 };
  return { ...place, engine, precision, variant, ...summarize(times), runs: times };
}

const PLACE = { environment: 'node20', threads: 1, model: 'deit-tiny', batch: 1 };

describe('median', () => {
  it('takes the middle value, or the mean of the middle two', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 9, 1, 100])).toBe(9.5);
    expect(median([])).toBeNaN();
    expect(summarize([3, 2, 8])).toEqual({ min: 2, median: 3 });
    expect(summarize([]).min).toBeNaN();
  });

  it('leaves the order of the runs alone', () => {
    const runs = [3, 1, 2];
    summarize(runs);
    expect(runs).toEqual([3, 1, 2]);
  });
});

describe('ratiosAt', () => {
  const rows = [
    row('ivit', 'integer', 'ours', [10, 20, 30]),
    row('ort-web', 'int8', 'a', [60, 70, 80]),
    row('ort-web', 'int8', 'b', [10, 50, 90]),
    row('ort-web', 'fp32', 'c', [100, 100, 100]),
    row('ort-node', 'int8', 'd', [5, 10, 15]),
    // Another place, faster than all: not to be taken.
    row('ort-web', 'int8', 'a', [1, 1, 1], 2),
  ];

  it("divides the peer's best variant by ours", () => {
    expect(ratiosAt(rows, PLACE, 'median')).toEqual({
      ortWebInt8: 2.5,
      ortWebFp32: 5,
      ortNodeInt8: 0.5,
      ortNodeFp32: null,
    });
    expect(ratiosAt(rows, PLACE, 'min').ortWebInt8).toBe(1);
    // Call by call: a 6, 3.5, 2.67; b 1, 2.5, 3; d 0.5, 0.5, 0.5.
    expect(ratiosAt(rows, PLACE, 'paired').ortWebInt8).toBe(2.5);
    expect(ratiosAt(rows, PLACE, 'paired').ortNodeInt8).toBe(0.5);
  });

  it('gives no ratio where ours was not measured', () => {
    expect(ratiosAt(rows, { ...PLACE, threads: 2 }, 'median').ortWebInt8).toBeNull();
  });
});

describe('scaling', () => {
  it('compares one thread with two of the same variant and place', () => {
    const rows = [
      row('ivit', 'integer', 'ours', [30, 40, 50]),
      row('ivit', 'integer', 'ours', [20, 20, 25], 2),
      row('ort-web', 'int8', 'a', [60]),
      { ...row('ort-web', 'int8', 'a', [30], 2), environment: 'chromium' },
    ];
    expect(scaling(rows)).toEqual([
      { environment: 'node20', model: 'deit-tiny', batch: 1, engine: 'ivit', variant: 'ours', median: 2, min: 1.5 },
    ]);
  });
});
