import type { Backend } from '@ivit/backend';
import { runBackendConformance } from '@ivit/backend-testkit';

/** What a test that passed is reported as; any other text says what went wrong. */
export const PASSED = 'passed';

/**
 * The tests of the conformance suite by name, for use without a test runner: in a page and in any Node alike.
 *
 * @param only names of groups; all of them if left out
 */
export function kitTests(create: () => Backend, only?: RegExp): ReadonlyMap<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>();
  let group = '';
  runBackendConformance(
    {
      describe: (name, body) => {
        const outside = group;
        group = outside === '' ? name : `${outside} > ${name}`;
        body();
        group = outside;
      },
      it: (name, body) => {
        const full = `${group} > ${name}`;
        if (tests.has(full)) throw new RangeError(`two tests have the name '${full}'`);
        if (only === undefined || only.test(group)) tests.set(full, body);
      },
    },
    { create },
  );
  return tests;
}

/** Runs the tests one after the other; by name, `passed` or the message of the failure. */
export async function runKit(tests: ReadonlyMap<string, () => Promise<void>>): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const [name, body] of tests) {
    try {
      await body();
      found[name] = PASSED;
    } catch (error) {
      found[name] = error instanceof Error ? error.message : String(error);
    }
  }
  return found;
}
