import { createReferenceBackend } from '@ivit/backend-reference';
import { CASE_OPS, createRandom, randomChain, randomProgram } from '@ivit/backend-testkit';
import { type Program, type ValidatedProgram, validate } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { describe, expect, it } from 'vitest';

/** Programs per kind. */
const SEEDS = 40;

function pixelsOf(program: ValidatedProgram, seed: number): Uint8Array {
  const size = elementCount(program.values[program.input]?.shape ?? []);
  return Uint8Array.from(createRandom(seed).list(size, 0, 255));
}

// What every backend must do is in conformance.test.ts; here is what only this one promises, and what its values tell of the
// validator's proof.
describe('values on the reference backend', () => {
  it.each([...CASE_OPS, 'chain'] as const)('%s: stay inside the proved intervals', async (kind) => {
    const backend = createReferenceBackend();
    let compared = 0;
    for (let seed = 0; seed < SEEDS; seed++) {
      const random = createRandom(seed * 31 + 7);
      const made: Program = kind === 'chain' ? randomChain(random, 3) : randomProgram(kind, random);
      const program = validate(made, { fragment: true });
      const executable = await backend.compile(program, { outputs: Object.keys(program.values) });
      const got = await executable.run(pixelsOf(program, seed), { batch: 1 });
      for (const [name, interval] of Object.entries(program.facts.intervals)) {
        for (const entry of got[name]?.data ?? []) {
          if (entry < interval.lo || entry > interval.hi) throw new Error(`seed ${seed}: ${name} holds ${entry}`);
          compared += 1;
        }
      }
      await executable.dispose();
    }
    expect(compared).toBeGreaterThan(500);
  });
});

it('uses the buffers of dead values again', async () => {
  const program = validate(randomChain(createRandom(3), 5), { fragment: true });
  const backend = createReferenceBackend();
  const some = await backend.compile(program);
  const all = await backend.compile(program, { outputs: Object.keys(program.values) });
  expect(some.info.bytes).toBeLessThan(all.info.bytes);
});
