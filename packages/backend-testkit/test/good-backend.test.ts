import { CASE_OPS, createRandom, interpret, randomChain } from '@ivit/backend-testkit';
import { validate } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { describe, expect, it } from 'vitest';
import { conformance } from './collect.js';
import { createMyBackend } from './my-backend.js';

describe('a backend with only some ops', () => {
  const subsets: readonly (readonly string[])[] = [
    ['linear'],
    ['lookup', 'linear', 'requantize'],
    ['softmax', 'matmul'],
    ['softmax@2', 'matmul@2'],
    ['gather'],
  ];

  it.each(subsets.map((ops) => [ops.join(', '), ops] as const))('passes with %s alone', async (_, ops) => {
    const groups = [...ops, 'softmax', 'manifest', 'compile', 'outputs', 'run', 'abort', 'dispose', 'trace', 'random'];
    const { passed, failed } = await conformance(() => createMyBackend(ops), new RegExp(`^(${groups.join('|')})`));
    expect([...failed]).toEqual([]);
    expect(passed.length).toBeGreaterThan(45);
  });

  it('fails when it declares nothing', async () => {
    const { failed } = await conformance(() => createMyBackend([]), /^manifest|^run/);
    expect(failed.size).toBeGreaterThan(8);
  });
});

it('makes chains of every op, in which few results are stuck at the ends of their range', () => {
  const ops = new Set<string>();
  let [elements, stuck] = [0, 0];
  for (let seed = 0; seed < 60; seed++) {
    const program = validate(randomChain(createRandom(seed), 4), { fragment: true });
    const size = elementCount(program.values[program.input]?.shape ?? []);
    const values = interpret(program, Uint8Array.from(createRandom(seed).list(size, 0, 255)));
    for (const op of program.ops) {
      ops.add(op.op);
      if (op.op !== 'requantize' || op.to === 'i32') continue;
      const [lo, hi] = op.to === 'i8' ? [-128, 127] : [-32768, 32767];
      for (const entry of values.get(op.result) ?? []) {
        elements += 1;
        if (entry === lo || entry === hi) stuck += 1;
      }
    }
  }
  expect([...ops].sort()).toEqual(CASE_OPS.filter((op) => !op.includes('@')).sort());
  expect(stuck * 5).toBeLessThan(elements);
  expect(stuck).toBeGreaterThan(0);
});
