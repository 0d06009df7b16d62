import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocate, type Lease } from './allocate.js';

const lease = fc
  .tuple(fc.integer({ min: -1, max: 30 }), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 5000 }))
  .map(([start, length, bytes]): Lease => ({ start, end: start + length, bytes }));

describe('allocate', () => {
  it('never gives one byte to two leases of the same time, and stays within what it reports', () => {
    fc.assert(
      fc.property(fc.array(lease, { maxLength: 40 }), (leases) => {
        const { offsets, bytes } = allocate(leases);
        for (const [i, a] of leases.entries()) {
          const from = offsets[i] ?? Number.NaN;
          expect(from % 64).toBe(0);
          expect(from + a.bytes).toBeLessThanOrEqual(bytes);
          for (const [j, b] of leases.entries()) {
            if (j >= i || a.start > b.end || b.start > a.end) continue;
            const other = offsets[j] ?? Number.NaN;
            expect(from + a.bytes <= other || other + b.bytes <= from).toBe(true);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('uses memory again once its lease has ended', () => {
    const chain = Array.from({ length: 20 }, (_, step): Lease => ({ start: step, end: step + 1, bytes: 1000 }));
    expect(allocate(chain).bytes).toBe(2048);
  });
});
