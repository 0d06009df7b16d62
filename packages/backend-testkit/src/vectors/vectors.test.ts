import { describe, expect, it } from 'vitest';
import { digestOf, exactValues } from '../case.js';
import { vectorFiles } from './files.js';

/** The generator's interpreter (numpy, tools/oracle) and this package's (BigInt) never saw each other's code. */
describe('vectors', () => {
  const files = vectorFiles();

  it.each(files.map((file) => [file.op, file] as const))(
    '%s: the exact interpreter gives every stored value',
    (_, file) => {
      const ids = new Set<string>();
      let compared = 0;
      for (const group of file.groups) {
        for (const one of group.cases()) {
          expect(ids.has(one.id), one.id).toBe(false);
          ids.add(one.id);
          const exact = exactValues(one.program, one.pixels, one.batch);
          for (const { result } of one.program.ops) {
            const digest = one.digest(result) ?? digestOf(one.expected(result));
            expect(digestOf(exact(result)), `${one.id}, ${result}`).toBe(digest);
            compared += 1;
          }
          expect(one.catches.length, one.id).toBeGreaterThan(0);
        }
      }
      expect(compared).toBeGreaterThanOrEqual(ids.size);
    },
  );
});
