import type { Executable } from '@ivit/backend';
import type { IntegerArray } from '@ivit/tensor';
import { type Case, digestOf, expectedOf, imageOf } from '../case.js';
import { check, expectCode } from '../check.js';
import { difference } from '../compare.js';
import { results, withExecutable } from '../run-case.js';
import type { Runner, Target } from '../runner.js';
import { freshSubject } from './context.js';

async function traceOf(executable: Executable, pixels: Uint8Array): Promise<{ value: string; digest: string }[]> {
  const entries: { value: string; digest: string }[] = [];
  for await (const { value, digest } of executable.trace(pixels)) entries.push({ value, digest });
  return entries;
}

/** Digests right, values of the program, each once, in op order, `needed` among them. */
export async function checkTrace(
  one: Case,
  executable: Executable,
  needed: readonly string[],
  index: number,
): Promise<void> {
  const order = results(one.program);
  const entries = await traceOf(executable, imageOf(one, index));
  let last = -1;
  for (const { value, digest } of entries) {
    const place = order.indexOf(value);
    check(place >= 0, `trace of ${one.subject} ${one.id}: no op makes '${value}'`);
    check(place > last, `trace of ${one.subject} ${one.id}: '${value}' is out of op order`);
    last = place;
    const expected = digestOf(expectedOf(one, value, index) satisfies IntegerArray);
    const op = one.program.ops[place]?.op;
    check(
      digest === expected,
      `trace of ${one.subject} ${one.id}: ${op} '${value}', image ${index}: expected sha256 ${expected}, got ${digest}`,
    );
  }
  const names = new Set(entries.map(({ value }) => value));
  for (const value of needed) {
    check(names.has(value), `trace of ${one.subject} ${one.id}: '${value}' was asked for and is not in the trace`);
  }
}

export function traceTests({ describe, it }: Runner, target: Target): void {
  describe('trace', () => {
    it('has the sha256 of every value when every value is an output', async () => {
      const { backend, one } = await freshSubject(target);
      const all = results(one.program);
      await withExecutable(backend, one.program, { outputs: all }, async (executable) => {
        for (let index = 0; index < one.batch; index++) await checkTrace(one, executable, all, index);
      });
    });

    it('has at least the output otherwise, and nothing wrong', async () => {
      const { backend, one } = await freshSubject(target);
      await withExecutable(backend, one.program, { maxBatch: 2 }, async (executable) => {
        await checkTrace(one, executable, [one.program.output], one.batch - 1);
      });
    });

    it('can be left early and beside runs, and changes no later run', async () => {
      const { backend, one } = await freshSubject(target);
      const all = results(one.program);
      await withExecutable(backend, one.program, { outputs: all }, async (executable) => {
        const running = executable.run(imageOf(one, 0), { batch: 1 });
        for await (const { value } of executable.trace(imageOf(one, one.batch - 1))) {
          check(all.includes(value), `trace: no op makes '${value}'`);
          break;
        }
        const before = difference(one, all, await running, 'beside a trace', 0, 1);
        check(before === undefined, before ?? '');
        const after = difference(one, all, await executable.run(imageOf(one, 0), { batch: 1 }), 'after a trace', 0, 1);
        check(after === undefined, after ?? '');
      });
    });

    it('refuses wrong input with E_INPUT, and after dispose with E_DISPOSED', async () => {
      const { backend, one } = await freshSubject(target);
      const executable = await backend.compile(one.program, { maxBatch: 2 });
      const image = imageOf(one, 0);
      await expectCode('E_INPUT', 'trace of one byte too few', () => traceOf(executable, image.subarray(1)));
      await expectCode('E_INPUT', 'trace of two images', () => traceOf(executable, new Uint8Array(2 * image.length)));
      await executable.dispose();
      await expectCode('E_DISPOSED', 'trace after dispose', () => traceOf(executable, image));
    });
  });
}
