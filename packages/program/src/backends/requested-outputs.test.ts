import { expect, it } from 'vitest';
import { requestedOutputs } from './requested-outputs.js';

const type = { dtype: 'i32', shape: [1] } as const;
const program = { output: 'y', values: { x: type, y: type } };

it('names the output first and every value once', () => {
  expect(requestedOutputs(program, undefined)).toEqual(['y']);
  expect(requestedOutputs(program, ['x', 'y', 'x'])).toEqual(['y', 'x']);
});

it.each(['z', '', 'toString', '__proto__'])("refuses '%s'", (name) => {
  expect(() => requestedOutputs(program, [name])).toThrow(expect.objectContaining({ code: 'E_INPUT' }));
});
