import { describe, expect, it } from 'vitest';
import { assertMemory } from './assert-memory.js';
import { compileRequest } from './compile-request.js';

const type = { dtype: 'i32', shape: [1] } as const;
const program = {
  output: 'y',
  values: { x: type, y: type },
  ops: [{ op: 'mean', result: 'y', x: { value: 'x' }, axis: 0 }],
} as const;
const ops = { mean: [1] };

describe('compileRequest', () => {
  it('means one image and the output alone where nothing is asked for', () => {
    expect(compileRequest(program, {}, 'test', ops)).toEqual({ maxBatch: 1, outputs: ['y'] });
  });

  it('keeps what is asked for', () => {
    expect(compileRequest(program, { maxBatch: 7, outputs: ['x'] }, 'test', ops)).toEqual({
      maxBatch: 7,
      outputs: ['y', 'x'],
    });
  });

  it.each([0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('refuses maxBatch %d', (maxBatch) => {
    expect(() => compileRequest(program, { maxBatch }, 'test', ops)).toThrow(
      expect.objectContaining({ code: 'E_INPUT', where: 'maxBatch' }),
    );
  });

  it('refuses an output that the program has not', () => {
    expect(() => compileRequest(program, { outputs: ['z'] }, 'test', ops)).toThrow(
      expect.objectContaining({ code: 'E_INPUT', where: 'outputs' }),
    );
  });

  it('refuses an op that is not declared, or not in that version', () => {
    for (const declared of [{}, { mean: [2] }]) {
      expect(() => compileRequest(program, {}, 'test', declared)).toThrow(
        expect.objectContaining({ code: 'E_UNSUPPORTED_OP', where: 'y' }),
      );
    }
  });

  it('refuses when aborted, before all else, and says why', () => {
    const signal = AbortSignal.abort('changed my mind');
    expect(() => compileRequest(program, { maxBatch: 0, signal }, 'test', {})).toThrow(
      expect.objectContaining({ code: 'E_ABORTED', cause: 'changed my mind' }),
    );
  });
});

describe('assertMemory', () => {
  it('allows up to the limit, and anything without one', () => {
    expect(() => assertMemory(8, 8)).not.toThrow();
    expect(() => assertMemory(8, undefined)).not.toThrow();
  });

  it('refuses one byte more', () => {
    expect(() => assertMemory(9, 8)).toThrow(expect.objectContaining({ code: 'E_MEMORY', where: 'memoryLimit' }));
  });
});
