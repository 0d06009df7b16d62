import { createReferenceBackend } from '@ivit/backend-reference';
import { type IntArray, IvitError, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { interpret } from './naive.js';
import { FORMS, Random, randomProgram } from './random-programs.js';

const SIZES: readonly (readonly [number, number])[] = [
  [1, 1],
  [1, 7],
  [3, 4],
  [4, 8],
  [5, 9],
  [2, 17],
];
const SEEDS = 12;

const bigints = (data: IntArray): bigint[] => Array.from(data, (v) => BigInt(v));

describe('reference against the naive interpreter', () => {
  it.each(Object.keys(FORMS))('%s', async (form) => {
    const backend = createReferenceBackend();
    let compared = 0;
    for (const [rows, width] of SIZES) {
      for (let seed = 0; seed < SEEDS; seed++) {
        const program = validate(randomProgram(form, seed * 101 + rows * 7 + width, rows, width), { fragment: true });
        const pixels = Uint8Array.from(new Random(seed).ints(rows * width, 0, 255));
        const expected = interpret(program, pixels);
        const outputs = Object.keys(program.values);
        const executable = await backend.compile(program, { outputs });
        const got = await executable.run(pixels, { batch: 1 });
        for (const name of outputs) {
          const tensor = got[name];
          if (tensor === undefined) throw new Error(`no output ${name}`);
          expect(bigints(tensor.data), `${form}, seed ${seed}, [${rows},${width}], ${name}`).toEqual(
            expected.get(name),
          );
          const interval = program.facts.intervals[name];
          if (interval === undefined) throw new Error(`no interval of ${name}`);
          for (const entry of tensor.data) {
            if (entry < interval.lo || entry > interval.hi)
              throw new Error(`${entry} is outside the proved interval of ${name}`);
          }
          compared += tensor.data.length;
        }
        await executable.dispose();
      }
    }
    expect(compared).toBeGreaterThan(500);
  });
});

describe('executable', () => {
  const program = validate(randomProgram('row-dynamic linear', 5, 6, 10), { fragment: true });
  const pixels = Uint8Array.from(new Random(9).ints(180, 0, 255));

  it('gives a batch the same integers as its images alone, with shared memory and with every value kept', async () => {
    const backend = createReferenceBackend();
    const batch = await backend.compile(program, { maxBatch: 3 });
    const all = await backend.compile(program, { outputs: Object.keys(program.values) });
    const together = (await batch.run(pixels, { batch: 3 }))[program.output];
    expect(together?.shape[0]).toBe(3);
    const alone: number[] = [];
    for (let image = 0; image < 3; image++) {
      const result = await all.run(pixels.subarray(60 * image, 60 * image + 60), { batch: 1 });
      alone.push(...(result[program.output]?.data ?? []));
    }
    expect(Array.from(together?.data ?? [])).toEqual(alone);
    expect(batch.info.bytes).toBeLessThan(all.info.bytes); // buffers of dead values are used again
  });

  it('queues runs and traces, first in first out', async () => {
    const executable = await createReferenceBackend().compile(program, { maxBatch: 2 });
    const first = executable.run(pixels.subarray(0, 60), { batch: 1 });
    const second = executable.run(pixels.subarray(60, 180), { batch: 2 });
    const traced: string[] = [];
    for await (const { value } of executable.trace(pixels.subarray(0, 60))) traced.push(value);
    const third = await executable.run(pixels.subarray(0, 60), { batch: 1 });
    expect(await first).toEqual(third);
    expect((await second)[program.output]?.shape[0]).toBe(2);
    expect(traced).toEqual(program.ops.map((op) => op.result));
  });

  it('refuses wrong input with codes and goes on', async () => {
    const backend = createReferenceBackend();
    const executable = await backend.compile(program);
    const code = async (task: Promise<unknown>): Promise<string> => {
      try {
        await task;
      } catch (error) {
        if (IvitError.isInstance(error)) return error.code;
      }
      return 'none';
    };
    expect(await code(executable.run(pixels.subarray(0, 59), { batch: 1 }))).toBe('E_INPUT');
    expect(await code(executable.run(pixels.subarray(0, 120), { batch: 2 }))).toBe('E_INPUT');
    expect(await code(executable.run(pixels.subarray(0, 60), { batch: 0 }))).toBe('E_INPUT');
    expect(await code(backend.compile(program, { outputs: ['nothing'] }))).toBe('E_INPUT');
    expect(await code(backend.compile(program, { maxBatch: 0 }))).toBe('E_INPUT');
    expect(await code(backend.compile(program, { memoryLimit: 10 }))).toBe('E_MEMORY');
    expect(await code(executable.run(pixels.subarray(0, 60), { batch: 1, signal: AbortSignal.abort() }))).toBe(
      'E_ABORTED',
    );
    expect(await code(backend.compile(program, { signal: AbortSignal.abort() }))).toBe('E_ABORTED');
    expect(await code(executable.run(pixels.subarray(0, 60), { batch: 1 }))).toBe('none');
    await executable.dispose();
    expect(await code(executable.run(pixels.subarray(0, 60), { batch: 1 }))).toBe('E_DISPOSED');
  });
});
