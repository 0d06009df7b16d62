/** Checks counted one by one; a failed one says what was found. */
export interface Report {
  check(name: string, passed: boolean, found?: unknown): void;
  equal(name: string, found: unknown, wanted: unknown): void;
  /** Runs a part; what it throws is one failed check, and the parts after it run. */
  part(name: string, body: () => Promise<void>): Promise<void>;
  /** The last line, and the exit code. */
  end(): number;
}

export function createReport(print: (line: string) => void): Report {
  let passed = 0;
  let failed = 0;
  let place = '';
  const check = (name: string, good: boolean, found?: unknown): void => {
    if (good) passed += 1;
    else {
      failed += 1;
      print(
        `FAILED ${place}: ${name}${found === undefined ? '' : `: ${typeof found === 'string' ? found : JSON.stringify(found)}`}`,
      );
    }
  };
  return {
    check,
    equal(name, found, wanted) {
      const same = JSON.stringify(found) === JSON.stringify(wanted);
      check(name, same, `found ${JSON.stringify(found)}, wanted ${JSON.stringify(wanted)}`);
    },
    async part(name, body) {
      const began = performance.now();
      place = name;
      const before = passed + failed;
      try {
        await body();
      } catch (error) {
        check('it runs to its end', false, error instanceof Error ? error.message : String(error));
      }
      print(`${name}: ${passed + failed - before} checks, ${((performance.now() - began) / 1000).toFixed(1)} s`);
    },
    end() {
      print(`${passed} passed, ${failed} failed`);
      return failed === 0 && passed > 0 ? 0 : 1;
    },
  };
}
