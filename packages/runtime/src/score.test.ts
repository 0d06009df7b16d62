import { describe, expect, it } from 'vitest';
import { codeOf } from '../test/code-of.js';
import { rankAnswers } from './answers.js';
import { POW2 } from './pow2-table.js';
import { scores } from './score.js';

describe('POW2', () => {
  it('holds rne(2^15·2^(g/256)), shown by exact integer powers', () => {
    expect(POW2).toHaveLength(256);
    for (const [g, entry] of POW2.entries()) {
      // (2t - 1)^256 ≤ 2^256·(2^15)^256·2^g < (2t + 1)^256 says that t is the nearest integer.
      const bound = 1n << BigInt(256 * 16 + g);
      expect((2n * BigInt(entry) - 1n) ** 256n <= bound && bound < (2n * BigInt(entry) + 1n) ** 256n, `g = ${g}`).toBe(
        true,
      );
    }
  });
});

describe('scores', () => {
  it('gives all to a lone class and equal parts to equal logits', () => {
    expect([...scores(Int32Array.of(-5), 16)]).toEqual([65536]);
    expect([...scores(Int32Array.of(9, 9, 9, 9), 3)]).toEqual([16384, 16384, 16384, 16384]);
    expect([...scores(Int32Array.of(-(2 ** 31), 2 ** 31 - 1), 0)]).toEqual([0, 65536]);
  });

  it('stays within 0.1 % of the real softmax', () => {
    for (const shift of [0, 4, 10, 16, 20]) {
      const real = [3.2, 1.5, 0.25, -2, 3.1, -9];
      const logits = Int32Array.from(real, (value) => Math.floor(value * 2 ** shift));
      const exponentials = Array.from(logits, (logit) => Math.exp(logit / 2 ** shift));
      const sum = exponentials.reduce((a, b) => a + b, 0);
      for (const [index, k] of scores(logits, shift).entries()) {
        expect(Math.abs(k - ((exponentials[index] ?? 0) / sum) * 65536)).toBeLessThan(65);
      }
    }
  });

  it('refuses an outputShift outside 0 … 31', async () => {
    expect(await codeOf(() => scores(Int32Array.of(1), 32))).toBe('E_INPUT');
    expect(await codeOf(() => scores(Int32Array.of(1), 0.5))).toBe('E_INPUT');
  });
});

describe('rankAnswers', () => {
  const labels = ['a', 'b', 'c', 'd'];

  it('puts the best first and breaks ties to the lower index', () => {
    const answers = rankAnswers(Int32Array.of(1, 7, 7, 2), { outputShift: 0, labels });
    expect(answers.map(({ label, index, logit }) => [label, index, logit])).toEqual([
      ['b', 1, 7],
      ['c', 2, 7],
      ['d', 3, 2],
      ['a', 0, 1],
    ]);
    expect(answers[0]?.score).toBe((scores(Int32Array.of(1, 7, 7, 2), 0)[1] ?? 0) / 65536);
    expect(rankAnswers(Int32Array.of(1, 7, 7, 2), { outputShift: 0 }, 1)).toHaveLength(1);
    expect(rankAnswers(Int32Array.of(1, 7), { outputShift: 0 })[0]?.label).toBe('class 1');
  });

  it.each([1, 2, 5, 32, 33, 100, 200])('gives the first %i of all in order, ties included', (topK) => {
    // Many ties: 100 classes of 23 values.
    const logits = Int32Array.from({ length: 100 }, (_, index) => ((index * 7919) % 23) - 11);
    const order = Array.from(logits, (logit, index) => ({ logit, index })).sort(
      (a, b) => b.logit - a.logit || a.index - b.index,
    );
    const answers = rankAnswers(logits, { outputShift: 3 }, topK);
    expect(answers.map(({ logit, index }) => ({ logit, index }))).toEqual(order.slice(0, topK));
  });

  it('says unknown exactly below the threshold', () => {
    const logits = Int32Array.of(4, 0, 0, 0);
    const best = scores(logits, 1)[0] ?? 0;
    const known = rankAnswers(logits, { outputShift: 1, labels, unknownBelow: best }, 2);
    expect(known.map(({ label }) => label)).toEqual(['a', 'b']);
    const unknown = rankAnswers(logits, { outputShift: 1, labels, unknownBelow: best + 1 }, 2);
    expect(unknown).toEqual([
      { label: 'unknown', index: -1, logit: 4, score: best / 65536 },
      { label: 'a', index: 0, logit: 4, score: best / 65536 },
    ]);
  });

  it('refuses a topK that is no positive integer', async () => {
    for (const topK of [0, -1, 1.5, Number.NaN]) {
      expect(await codeOf(() => rankAnswers(Int32Array.of(1), { outputShift: 0 }, topK))).toBe('E_INPUT');
    }
  });
});
