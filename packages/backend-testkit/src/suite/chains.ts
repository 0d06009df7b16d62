import { validate } from '@ivit/program';
import { interpretedCase } from '../case.js';
import { check } from '../check.js';
import { randomChain } from '../random/chains.js';
import { createRandom } from '../random/random.js';
import { restrictCase } from '../restrict.js';
import { runCases } from '../run-case.js';
import type { Runner, Target } from '../runner.js';
import { fresh, noise } from './context.js';

const GROUPS = 12;
const PER_GROUP = 10;
const BATCHES = [1, 2, 3, 5] as const;

/** Programs of many ops: what is fused, reordered or kept in shared memory must not show. */
export function chainTests({ describe, it }: Runner, target: Target): void {
  describe('random chains of ops', () => {
    for (let group = 0; group < GROUPS; group++) {
      const first = group * PER_GROUP;
      it(`chains ${first} to ${first + PER_GROUP - 1}`, async () => {
        const { backend, declared } = await fresh(target);
        const cases = Array.from({ length: PER_GROUP }, (_, i) => {
          const seed = first + i;
          const random = createRandom(seed * 104729);
          const program = validate(randomChain(random, random.integer(1, 6)), { fragment: true });
          const batch = BATCHES[seed % BATCHES.length] ?? 1;
          return interpretedCase('chain', `random-${seed}`, program, noise(program, seed, batch), batch);
        });
        const runnable = cases.flatMap((one) => restrictCase(one, declared) ?? []);
        check(declared.size < 13 || runnable.length === cases.length, 'chains were left out');
        await runCases(backend, runnable);
      });
    }
  });
}
