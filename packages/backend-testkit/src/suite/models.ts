import { check } from '../check.js';
import { restrictCase } from '../restrict.js';
import { results, runCases, withExecutable } from '../run-case.js';
import type { Runner, Target } from '../runner.js';
import { vectorFiles } from '../vectors/files.js';
import { fresh } from './context.js';
import { checkTrace } from './trace.js';

/** Whole tiny models: stored logits, a stored sha256 of every value, and every trace. */
export function modelTests({ describe, it }: Runner, target: Target): void {
  describe('models', () => {
    for (const group of vectorFiles().find((file) => file.op === 'models')?.groups ?? []) {
      it(group.name, async () => {
        const { backend, declared } = await fresh(target);
        const cases = group.cases().flatMap((one) => restrictCase(one, declared) ?? []);
        check(cases.length > 0, `not one op of ${group.name} is declared`);
        await runCases(backend, cases);
        for (const one of cases) {
          const outputs = results(one.program);
          await withExecutable(backend, one.program, { outputs }, async (executable) => {
            await checkTrace(one, executable, outputs, one.batch - 1);
          });
        }
      });
    }
  });
}
