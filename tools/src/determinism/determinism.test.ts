import { expect, test } from 'vitest';
import { EXPECTED } from './expected.js';
import { measureDeterminism } from './measure.js';

test('convert time gives the committed bytes', async () => {
  expect(await measureDeterminism()).toEqual(EXPECTED);
});
