import { expect, it } from 'vitest';
import { BROKEN } from './broken-backends.js';
import { conformance } from './collect.js';
import { createMyBackend } from './my-backend.js';

it.each(BROKEN.map((broken) => [broken.what, broken] as const))('catches %s', async (_, broken) => {
  const { failed } = await conformance(broken.create, broken.chosen);
  const message = [...failed].find(([name]) => broken.fails.test(name))?.[1];
  expect(message, `failed: ${[...failed.keys()].join('; ')}`).toBeDefined();
  for (const part of broken.says) expect(message).toMatch(part);
  // The same tests pass with the good backend: it is the fault that they found.
  expect([...(await conformance(createMyBackend, broken.chosen)).failed]).toEqual([]);
});
