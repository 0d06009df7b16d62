import { describe, expect, it } from 'vitest';
import { type Subject, takeTurns } from './measure.js';

describe('takeTurns', () => {
  it('warms up, then lets the subjects take turns and records only the calls that count', async () => {
    const log: string[] = [];
    const subject = (variant: string): Subject => ({
      variant,
      detail: '',
      call: async () => {
        log.push(variant);
      },
      dispose: async () => undefined,
    });
    const runs = await takeTurns([subject('a'), subject('b')], 2, 3);
    expect(log.join('')).toBe('ab'.concat('aaaabbbb', 'aaaabbbb'));
    expect(Object.keys(runs)).toEqual(['a', 'b']);
    expect(runs['a']).toHaveLength(6);
    expect(runs['b']?.every((milliseconds) => milliseconds >= 0)).toBe(true);
  });
});
