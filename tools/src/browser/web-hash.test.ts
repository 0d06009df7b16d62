import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { webSha256 } from './web-hash.js';

test("the engine's hash of pieces is that of the whole", async () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, i) => i * 7);
  const hash = webSha256();
  for (const [from, to] of [
    [0, 1],
    [1, 1],
    [1, 640],
    [640, 1000],
  ])
    hash.update(bytes.subarray(from, to));
  expect(await hash.digest()).toEqual(new Uint8Array(createHash('sha256').update(bytes).digest()));
});
