import { IvitError } from 'ivit';
import { expect, it } from 'vitest';
import { isAbort, problemOf } from './problem.js';

it('shows code, problem, place and what to do', () => {
  const error = new IvitError('E_MODEL_SHAPE', 'the tensor has 3 rows', {
    where: 'head.weight',
    hint: 'Export it again.',
  });
  expect(problemOf(error)).toEqual({
    code: 'E_MODEL_SHAPE',
    what: 'The tensor has 3 rows (head.weight).',
    advice: 'Export it again.',
  });
});

it('says what to do on this page where the hint is for the command', () => {
  const error = new IvitError('E_NEEDS_QUANTIZING', 'These are float weights', { hint: 'Run ivit quantize.' });
  expect(problemOf(error).advice).toMatch(/below/);
});

it('has a code for what has none, and knows an abort', () => {
  expect(problemOf(new Error('no'))).toEqual({ code: 'E_UNKNOWN', what: 'No.', advice: undefined });
  expect(problemOf('text')).toMatchObject({ code: 'E_UNKNOWN', what: 'Text.' });
  expect(isAbort(new IvitError('E_ABORTED', 'Aborted'))).toBe(true);
  expect(isAbort(new Error('Aborted'))).toBe(false);
});
