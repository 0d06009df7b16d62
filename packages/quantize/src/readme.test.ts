import { readFileSync } from 'node:fs';
import { modelId } from '@ivit/program';
import { expect, it, vi } from 'vitest';
import { toIntegers } from '../test/readme-example.js';
import { randomPhotos, randomVit } from './testing/random-vit.js';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

it('the README shows the example that runs', async () => {
  const example = read('../test/readme-example.ts');
  expect(read('../README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  const program = await toIntegers(randomVit(1), randomPhotos(2, 16, 2));
  const printed = log.mock.calls;
  log.mockRestore();
  expect(printed).toHaveLength(1 + 2 * 9 + 2 + 1);
  expect(printed[0]?.[0]).toBe('embed');
  expect(printed.at(-1)).toEqual([modelId(program)]);
});
