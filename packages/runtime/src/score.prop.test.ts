import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POW2 } from './pow2-table.js';
import { scores } from './score.js';

/** The formula of `scores` in unbounded integers. */
function slowScores(logits: readonly number[], shift: number): number[] {
  const largest = BigInt(Math.max(...logits));
  const excess = BigInt(Math.max(0, shift - 16));
  const s = BigInt(Math.min(shift, 16));
  const weights = logits.map((logit) => {
    const distance = (largest - BigInt(logit)) >> excess;
    const scaled = (distance * 1549082005n + (1n << (21n + s))) >> (22n + s);
    const octaves = (scaled + 255n) >> 8n;
    if (octaves > 31n) return 0n;
    return (BigInt(POW2[Number((octaves << 8n) - scaled)] ?? 0) << 16n) >> octaves;
  });
  const sum = weights.reduce((a, b) => a + b, 0n);
  return weights.map((weight) => Number((weight * 131072n + sum) / (2n * sum)));
}

const logits = fc.oneof(
  fc.array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: 1, maxLength: 40 }),
  fc.array(fc.integer({ min: -(2 ** 20), max: 2 ** 20 }), { minLength: 1, maxLength: 40 }),
  fc.array(fc.integer({ min: -300, max: 300 }), { minLength: 1, maxLength: 1000 }),
);
const shifts = fc.integer({ min: 0, max: 31 });

describe('scores', () => {
  it('equals the formula in unbounded integers', () => {
    fc.assert(
      fc.property(logits, shifts, (values, shift) => {
        expect(Array.from(scores(Int32Array.from(values), shift))).toEqual(slowScores(values, shift));
      }),
      { numRuns: 500 },
    );
  });

  it('orders classes as the logits do and sums to 65536 within half a unit per class', () => {
    fc.assert(
      fc.property(logits, shifts, (values, shift) => {
        const ks = scores(Int32Array.from(values), shift);
        const order = Array.from(values.keys()).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
        for (const [at, index] of order.entries()) {
          const before = order[at - 1];
          if (before === undefined) continue;
          expect(ks[index]).toBeGreaterThanOrEqual(ks[before] ?? 0);
          if (values[index] === values[before]) expect(ks[index]).toBe(ks[before]);
        }
        const sum = ks.reduce((a, b) => a + b, 0);
        expect(Math.abs(sum - 65536)).toBeLessThanOrEqual(values.length / 2);
      }),
      { numRuns: 300 },
    );
  });
});
