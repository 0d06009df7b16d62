import type { Backend } from '@ivit/backend';
import { runBackendConformance } from '@ivit/backend-testkit';

interface Test {
  /** Path of names, joined by ` > `. */
  readonly name: string;
  readonly body: () => Promise<void>;
}

/** A runner that only remembers. */
function collect(create: () => Backend): readonly Test[] {
  const tests: Test[] = [];
  const path: string[] = [];
  runBackendConformance(
    {
      describe: (name, body) => {
        path.push(name);
        body();
        path.pop();
      },
      it: (name, body) => {
        tests.push({ name: [...path, name].join(' > '), body });
      },
    },
    { create },
  );
  return tests;
}

export interface Report {
  readonly passed: readonly string[];
  /** Name → message. */
  readonly failed: ReadonlyMap<string, string>;
}

/** Runs the conformance tests whose name `chosen` matches. */
export async function conformance(create: () => Backend, chosen: RegExp): Promise<Report> {
  const passed: string[] = [];
  const failed = new Map<string, string>();
  for (const { name, body } of collect(create)) {
    if (!chosen.test(name)) continue;
    try {
      await body();
      passed.push(name);
    } catch (error) {
      failed.set(name, error instanceof Error ? error.message : String(error));
    }
  }
  return { passed, failed };
}
