import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';

const read = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

it('the README shows the example that runs, with what it prints', async () => {
  const example = read('./readme-example.ts');
  expect(read('../README.md')).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  await import('./readme-example.js');
  const printed = log.mock.calls.map(([value]) => JSON.stringify(value));
  log.mockRestore();
  expect(printed.length).toBeGreaterThan(1);
  expect(printed).toEqual([...example.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map((match) => match[1]));
});
