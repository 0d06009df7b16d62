/** Where a value that only a hash stands for goes wrong. Uses nothing of Node. */
import type { Backend } from '@ivit/backend';
import { createReferenceBackend } from '@ivit/backend-reference';
import { batchesOf, type GoldenSource } from './golden.js';
import { differenceOf } from './tally.js';

/** What one value differs in from the reference backend's, over all images: the first image with its first element. */
export async function explainHash(
  backend: Backend,
  source: GoldenSource,
  value: string,
  batch: number,
): Promise<string> {
  const { program } = source;
  if (program.values[value] === undefined) return 'no element to look at';
  // Every value kept, as where it was found: a backend that may fuse could be right.
  const outputs = Object.keys(program.values).filter((name) => name !== program.input);
  const own = await backend.compile(program, { maxBatch: batch, outputs });
  const reference = await createReferenceBackend().compile(program, { maxBatch: batch, outputs: [value] });
  try {
    let first = 0;
    for (const { pixels, count } of batchesOf(source, batch)) {
      const found = (await own.run(pixels, { batch: count }))[value];
      const expected = (await reference.run(pixels, { batch: count }))[value];
      const difference = differenceOf(found?.data ?? [], expected?.data ?? []);
      if (difference !== undefined) return `from image ${first} on, ${difference} of the reference backend`;
      first += count;
    }
    return 'the reference backend gives the same';
  } finally {
    await own.dispose();
    await reference.dispose();
  }
}
