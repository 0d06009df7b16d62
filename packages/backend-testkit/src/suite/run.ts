import type { Backend, Executable, Outputs } from '@ivit/backend';
import { type Case, imageBytes, imageOf } from '../case.js';
import { check, expectCode, outcomeOf } from '../check.js';
import { difference } from '../compare.js';
import { results, withExecutable } from '../run-case.js';
import type { Runner, Target } from '../runner.js';
import { freshSubject } from './context.js';

function right(one: Case, values: readonly string[], got: Outputs, how: string, first: number, batch: number): void {
  const wrong = difference(one, values, got, how, first, batch);
  check(wrong === undefined, wrong ?? '');
}

/** The subject compiled for all its images, with every value kept. */
async function withSubject(
  target: Target,
  use: (one: Case, executable: Executable, backend: Backend) => Promise<void>,
): Promise<void> {
  const { backend, one } = await freshSubject(target);
  const options = { maxBatch: one.batch, outputs: results(one.program) };
  await withExecutable(backend, one.program, options, (executable) => use(one, executable, backend));
}

export function runTests({ describe, it }: Runner, target: Target): void {
  describe('run', () => {
    it('gives the same bits for 1, 2, 3 and 5 images at once', async () => {
      await withSubject(target, async (one, executable) => {
        for (const batch of [5, 1, 3, 2, 1].filter((size) => size <= one.batch)) {
          for (let first = 0; first + batch <= one.batch; first += batch) {
            const pixels = one.pixels.subarray(
              first * imageBytes(one.program),
              (first + batch) * imageBytes(one.program),
            );
            const got = await executable.run(pixels, { batch });
            right(one, results(one.program), got, `images ${first} to ${first + batch - 1}`, first, batch);
          }
        }
      });
    });

    it('gives the same bits every time, whatever ran before', async () => {
      await withSubject(target, async (one, executable) => {
        for (const index of [0, 0, one.batch - 1, 0]) {
          const got = await executable.run(imageOf(one, index), { batch: 1 });
          right(one, results(one.program), got, 'a repeated run', index, 1);
        }
      });
    });

    it('returns data that later runs leave alone, and leaves the pixels alone', async () => {
      await withSubject(target, async (one, executable) => {
        const pixels = imageOf(one, 0).slice();
        const before = await executable.run(pixels, { batch: 1 });
        const same = pixels.every((byte, i) => byte === one.pixels[i]);
        check(same, 'run changed the pixels it was given');
        pixels.fill(0);
        await executable.run(imageOf(one, one.batch - 1), { batch: 1 });
        right(one, results(one.program), before, 'looked at after a later run', 0, 1);
      });
    });

    it('reads pixels wherever they lie in their buffer', async () => {
      await withSubject(target, async (one, executable) => {
        const image = imageOf(one, 0);
        const shifted = new Uint8Array(image.length + 7).subarray(3, 3 + image.length);
        shifted.set(image);
        right(one, results(one.program), await executable.run(shifted, { batch: 1 }), 'pixels at offset 3', 0, 1);
      });
    });

    it('refuses wrong input with E_INPUT and goes on', async () => {
      await withSubject(target, async (one, executable) => {
        const image = imageOf(one, 0);
        const size = image.length;
        const attempts: readonly (readonly [string, Uint8Array, number])[] = [
          ['one byte too few', image.subarray(1), 1],
          ['one byte too many', new Uint8Array(size + 1), 1],
          ['no pixels', new Uint8Array(0), 1],
          ['two images as one', new Uint8Array(2 * size), 1],
          ['one image as two', image, 2],
          ['batch 0', new Uint8Array(0), 0],
          ['batch -1', image, -1],
          ['batch 0.5', image, 0.5],
          ['batch NaN', image, Number.NaN],
          ['a batch beyond maxBatch', new Uint8Array((one.batch + 1) * size), one.batch + 1],
        ];
        for (const [what, pixels, batch] of attempts) {
          await expectCode('E_INPUT', `run with ${what}`, () => executable.run(pixels, { batch }));
        }
        right(one, results(one.program), await executable.run(image, { batch: 1 }), 'after refusals', 0, 1);
      });
    });

    it('has room for one image when maxBatch is not given', async () => {
      const { backend, one } = await freshSubject(target);
      await withExecutable(backend, one.program, {}, async (executable) => {
        const size = imageBytes(one.program);
        await expectCode('E_INPUT', 'run of two images', () => executable.run(new Uint8Array(2 * size), { batch: 2 }));
        right(one, [one.program.output], await executable.run(imageOf(one, 0), { batch: 1 }), 'one image', 0, 1);
      });
    });

    it('queues calls, first in, first out', async () => {
      await withSubject(target, async (one, executable) => {
        const order: number[] = [];
        const calls = [0, 1, 2, 3].map(async (call) => {
          const index = call % one.batch;
          const got = await executable.run(imageOf(one, index), { batch: 1 });
          order.push(call);
          right(one, results(one.program), got, `call ${call} of four at once`, index, 1);
        });
        await Promise.all(calls);
        check(order.join() === '0,1,2,3', `expected the calls to end in the order 0,1,2,3, got ${order.join()}`);
      });
    });

    it('goes on with the queue after a call in it was refused', async () => {
      await withSubject(target, async (one, executable) => {
        const first = executable.run(imageOf(one, 0), { batch: 1 });
        const second = outcomeOf(() => executable.run(imageOf(one, 0), { batch: 1, signal: AbortSignal.abort() }));
        const third = executable.run(imageOf(one, one.batch - 1), { batch: 1 });
        right(one, results(one.program), await first, 'before a refused call', 0, 1);
        const outcome = await second;
        check('code' in outcome && outcome.code === 'E_ABORTED', 'run with an aborted signal: expected E_ABORTED');
        right(one, results(one.program), await third, 'after a refused call', one.batch - 1, 1);
      });
    });

    it('keeps two executables of one backend apart', async () => {
      await withSubject(target, async (one, executable, backend) => {
        await withExecutable(backend, one.program, {}, async (other) => {
          const [a, b] = await Promise.all([
            executable.run(imageOf(one, 0), { batch: 1 }),
            other.run(imageOf(one, one.batch - 1), { batch: 1 }),
          ]);
          right(one, results(one.program), a, 'beside another executable', 0, 1);
          right(one, [one.program.output], b, 'beside another executable', one.batch - 1, 1);
        });
        const got = await executable.run(imageOf(one, 0), { batch: 1 });
        right(one, results(one.program), got, 'after another executable was disposed', 0, 1);
      });
    });
  });

  describe('abort', () => {
    it('of a run before it starts is E_ABORTED, and the executable goes on', async () => {
      await withSubject(target, async (one, executable) => {
        await expectCode('E_ABORTED', 'run with an aborted signal', () =>
          executable.run(imageOf(one, 0), { batch: 1, signal: AbortSignal.abort(new Error('changed my mind')) }),
        );
        right(one, results(one.program), await executable.run(imageOf(one, 0), { batch: 1 }), 'after an abort', 0, 1);
      });
    });

    it('of a run that goes on or waits ends it with E_ABORTED or comes too late', async () => {
      await withSubject(target, async (one, executable) => {
        const controller = new AbortController();
        const { signal } = controller;
        const calls = [0, 1].map(() => outcomeOf(() => executable.run(one.pixels, { batch: one.batch, signal })));
        const next = executable.run(imageOf(one, 0), { batch: 1 });
        await Promise.resolve();
        controller.abort();
        for (const outcome of await Promise.all(calls)) {
          if ('code' in outcome) check(outcome.code === 'E_ABORTED', `expected E_ABORTED, got ${outcome.code}`);
          else right(one, results(one.program), outcome.value, 'aborted too late', 0, one.batch);
        }
        right(one, results(one.program), await next, 'after aborted runs', 0, 1);
      });
    });
  });

  describe('dispose', () => {
    it('makes later runs E_DISPOSED, and may be called again', async () => {
      const { backend, one } = await freshSubject(target);
      const executable = await backend.compile(one.program);
      await executable.run(imageOf(one, 0), { batch: 1 });
      await executable.dispose();
      await expectCode('E_DISPOSED', 'run after dispose', () => executable.run(imageOf(one, 0), { batch: 1 }));
      await executable.dispose();
      await expectCode('E_DISPOSED', 'run after dispose', () => executable.run(imageOf(one, 0), { batch: 1 }));
    });

    it('of an executable that never ran, and beside a living one', async () => {
      await withSubject(target, async (one, executable, backend) => {
        const other = await backend.compile(one.program);
        await Promise.all([other.dispose(), other.dispose()]);
        right(one, results(one.program), await executable.run(imageOf(one, 0), { batch: 1 }), 'beside', 0, 1);
      });
    });

    it('during a run ends it with the right bits or E_DISPOSED', async () => {
      const { backend, one } = await freshSubject(target);
      const executable = await backend.compile(one.program, { maxBatch: one.batch });
      const running = outcomeOf(() => executable.run(one.pixels, { batch: one.batch }));
      await executable.dispose();
      const outcome = await running;
      if ('code' in outcome) check(outcome.code === 'E_DISPOSED', `expected E_DISPOSED, got ${outcome.code}`);
      else right(one, [one.program.output], outcome.value, 'disposed meanwhile', 0, one.batch);
    });
  });
}
