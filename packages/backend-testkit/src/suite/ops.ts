import type { Backend } from '@ivit/backend';
import { validate } from '@ivit/program';
import { type Case, interpretedCase } from '../case.js';
import { check, expectCode } from '../check.js';
import { CASE_OPS, type CaseName, randomProgram } from '../random/op-cases.js';
import { createRandom } from '../random/random.js';
import { type Declared, restrictCase } from '../restrict.js';
import { runCases } from '../run-case.js';
import type { Runner, Target } from '../runner.js';
import { vectorFiles } from '../vectors/files.js';
import { fresh, noise } from './context.js';

/** Random programs of one op, beside its vectors. */
const RANDOM_PROGRAMS = 40;
const BATCHES = [1, 2, 3, 5] as const;

function randomCases(op: CaseName): readonly Case[] {
  return Array.from({ length: RANDOM_PROGRAMS }, (_, index) => {
    const random = createRandom(index * 7919 + CASE_OPS.indexOf(op));
    const program = validate(randomProgram(op, random), { fragment: true });
    const batch = BATCHES[index % BATCHES.length] ?? 1;
    return interpretedCase(op, `random-${index}`, program, noise(program, index, batch), batch);
  });
}

/**
 * Of a declared op every case must be right to the bit. A backend without the ops around it runs it on constants. An
 * undeclared op must be refused by its code.
 */
async function proveOp(backend: Backend, declared: Declared, op: string, cases: readonly Case[]): Promise<void> {
  if (declared.has(op)) {
    const runnable = cases.flatMap((one) => restrictCase(one, declared) ?? []);
    check(runnable.length > 0, `${op}: not one of ${cases.length} cases can be run with the declared ops alone`);
    await runCases(backend, runnable);
    return;
  }
  for (const one of cases.slice(0, 3)) {
    await expectCode('E_UNSUPPORTED_OP', `compile of ${op} ${one.id}, which uses an undeclared op`, () =>
      backend.compile(one.program),
    );
  }
}

export function opTests({ describe, it }: Runner, target: Target): void {
  const files = vectorFiles();
  for (const op of CASE_OPS) {
    describe(op, () => {
      for (const group of files.find((file) => file.op === op)?.groups ?? []) {
        it(`${op}: ${group.name}`, async () => {
          const { backend, declared } = await fresh(target);
          await proveOp(backend, declared, op, group.cases());
        });
      }
      it(`${op}: ${RANDOM_PROGRAMS} random programs`, async () => {
        const { backend, declared } = await fresh(target);
        await proveOp(backend, declared, op, randomCases(op));
      });
    });
  }
}
