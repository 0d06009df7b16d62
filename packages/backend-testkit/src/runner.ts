import type { Backend } from '@ivit/backend';

/** The two functions of a test runner: vitest, node:test, mocha and others have them. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown;
  readonly it: (name: string, body: () => Promise<void>) => unknown;
}

export interface Target {
  /** A fresh, isolated backend at every call. */
  readonly create: () => Backend | Promise<Backend>;
}
