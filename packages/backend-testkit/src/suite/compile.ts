import type { ExecutableInfo } from '@ivit/backend';
import { imageOf } from '../case.js';
import { check, expectCode, outcomeOf } from '../check.js';
import { difference } from '../compare.js';
import { results, withExecutable } from '../run-case.js';
import type { Runner, Target } from '../runner.js';
import { withUnknownOp } from '../unsafe.js';
import { freshSubject } from './context.js';

function checkInfo(info: ExecutableInfo, name: string): void {
  check(info.backend === name, `info.backend: expected '${name}', got '${info.backend}'`);
  check(typeof info.variant === 'string' && info.variant !== '', 'info.variant is no name');
  check(Number.isSafeInteger(info.threads) && info.threads >= 1, `info.threads is ${info.threads}`);
  check(Number.isSafeInteger(info.bytes) && info.bytes >= 0, `info.bytes is ${info.bytes}`);
}

export function compileTests({ describe, it }: Runner, target: Target): void {
  describe('compile', () => {
    it('says what it made', async () => {
      const { backend, one } = await freshSubject(target);
      await withExecutable(backend, one.program, {}, async ({ info }) => checkInfo(info, backend.name));
    });

    it('refuses an op that nobody declares with E_UNSUPPORTED_OP', async () => {
      const { backend, one } = await freshSubject(target);
      for (const name of ['no-such-op', 'toString', '__proto__']) {
        await expectCode('E_UNSUPPORTED_OP', `compile of an op '${name}'`, () =>
          backend.compile(withUnknownOp(one.program, name)),
        );
      }
    });

    it('refuses unknown outputs and impossible batches with E_INPUT', async () => {
      const { backend, one } = await freshSubject(target);
      for (const output of ['no-such-value', '', 'toString']) {
        await expectCode('E_INPUT', `compile with the output '${output}'`, () =>
          backend.compile(one.program, { outputs: [output] }),
        );
      }
      for (const maxBatch of [0, -1, 0.5, Number.NaN]) {
        await expectCode('E_INPUT', `compile with maxBatch ${maxBatch}`, () =>
          backend.compile(one.program, { maxBatch }),
        );
      }
    });

    it('honors memoryLimit: E_MEMORY below what it needs, success at what it holds', async () => {
      const { backend, one } = await freshSubject(target);
      await expectCode('E_MEMORY', 'compile with memoryLimit 1', () =>
        backend.compile(one.program, { memoryLimit: 1 }),
      );
      const bytes = await withExecutable(backend, one.program, {}, async ({ info }) => info.bytes);
      check(bytes > 1, `info.bytes is ${bytes}: the program has values and constants`);
      await withExecutable(backend, one.program, { memoryLimit: bytes }, async ({ info }) => {
        check(info.bytes <= bytes, `info.bytes: expected at most the limit of ${bytes}, got ${info.bytes}`);
      });
    });

    it('respects a signal that was aborted before', async () => {
      const { backend, one } = await freshSubject(target);
      await expectCode('E_ABORTED', 'compile with an aborted signal', () =>
        backend.compile(one.program, { signal: AbortSignal.abort() }),
      );
    });

    it('when aborted meanwhile, either refuses with E_ABORTED or gives a working executable', async () => {
      const { backend, one } = await freshSubject(target);
      const controller = new AbortController();
      const compiling = outcomeOf(() => backend.compile(one.program, { signal: controller.signal }));
      controller.abort();
      const outcome = await compiling;
      if ('code' in outcome) {
        check(outcome.code === 'E_ABORTED', `compile aborted meanwhile: expected E_ABORTED, got ${outcome.code}`);
        return;
      }
      const outputs = await outcome.value.run(imageOf(one, 0), { batch: 1 });
      const wrong = difference(one, [one.program.output], outputs, 'aborted too late', 0, 1);
      await outcome.value.dispose();
      check(wrong === undefined, wrong ?? '');
    });

    it('leaves the program as it was, and can compile it again', async () => {
      const { backend, one } = await freshSubject(target);
      const before = Object.values(one.program.constants).map(({ data }) => data.slice());
      for (const index of [0, one.batch - 1]) {
        await withExecutable(backend, one.program, { outputs: results(one.program) }, async (executable) => {
          const outputs = await executable.run(imageOf(one, index), { batch: 1 });
          const wrong = difference(one, results(one.program), outputs, 'compiled again', index, 1);
          check(wrong === undefined, wrong ?? '');
        });
      }
      for (const [index, { data }] of Object.values(one.program.constants).entries()) {
        const same = data.every((entry, i) => entry === before[index]?.[i]);
        check(same, `compile or run changed constant ${Object.keys(one.program.constants)[index]}`);
      }
    });
  });

  describe('outputs', () => {
    it('are the output alone when none are named, and nothing else', async () => {
      const { backend, one } = await freshSubject(target);
      await withExecutable(backend, one.program, {}, async (executable) => {
        const names = Object.keys(await executable.run(imageOf(one, 0), { batch: 1 }));
        check(names.join() === one.program.output, `expected ${one.program.output}, got ${names.join()}`);
      });
    });

    it('are the named values and the output, the same bits whichever other values are kept', async () => {
      const { backend, one } = await freshSubject(target);
      for (const value of [...results(one.program), one.program.input]) {
        const outputs = [value, value];
        await withExecutable(backend, one.program, { outputs }, async (executable) => {
          const got = await executable.run(imageOf(one, 1 % one.batch), { batch: 1 });
          const wanted = [...new Set([value, one.program.output])];
          const names = Object.keys(got).sort().join();
          check(names === [...wanted].sort().join(), `outputs [${value}]: expected ${wanted.join()}, got ${names}`);
          const wrong = difference(one, wanted, got, `'${value}' kept`, 1 % one.batch, 1);
          check(wrong === undefined, wrong ?? '');
        });
      }
    });
  });
}
