import { expect, it } from 'vitest';
import { abortError, throwIfAborted } from './abort.js';

it('says what was aborted, where, and why', () => {
  const signal = AbortSignal.abort('enough');
  expect(() => throwIfAborted(signal, 'Loading', 'model.safetensors')).toThrowError(
    expect.objectContaining({
      code: 'E_ABORTED',
      problem: 'Loading was aborted',
      where: 'model.safetensors',
      cause: 'enough',
    }),
  );
  expect(abortError(signal)).toMatchObject({ problem: 'The call was aborted', where: undefined });
});

it('lets pass what is not aborted, or cannot be', () => {
  expect(() => throwIfAborted(new AbortController().signal, 'Loading')).not.toThrow();
  expect(() => throwIfAborted(undefined)).not.toThrow();
});
