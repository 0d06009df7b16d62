import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readArguments } from './arguments.js';

describe('readArguments', () => {
  it('takes paths from where the user stands, and a model by its address', () => {
    expect(
      readArguments(['--', 'photos', '-o', 'rows.NDJSON', '--model', 'hf:a/b', '--workers', '3'], '/here'),
    ).toEqual({
      folder: resolve('/here/photos'),
      output: resolve('/here/rows.NDJSON'),
      jsonLines: true,
      model: 'hf:a/b',
      topK: 1,
      workers: 3,
      threads: 1,
      maxPixels: undefined,
      overwrite: false,
      quiet: false,
    });
    const { model, workers } = readArguments(['p', '-o', 'r.csv', '--model', 'arguments.ts'], import.meta.dirname);
    expect(model).toBe(resolve(import.meta.dirname, 'arguments.ts'));
    expect(workers).toBeGreaterThanOrEqual(1);
  });

  it.each([
    [['photos'], /-o/],
    [['a', 'b', '-o', 'x.csv'], /Name one folder/],
    [['photos', '-o', 'x.txt'], /neither in \.csv nor in \.jsonl/],
    [['photos', '-o', 'x.csv', '--workers', '0'], /--workers must be an integer from 1 to 256/],
    [['photos', '-o', 'x.csv', '--top-k', 'all'], /--top-k must be/],
    [['photos', '-o', 'x.csv', '--colour'], /--colour/],
  ])('refuses %j', (args, says) => {
    expect(() => readArguments(args, '/')).toThrow(says);
    expect(() => readArguments(args, '/')).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  });
});
