import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BACKENDS } from './backends.js';

const page = readFileSync(new URL('../index.html', import.meta.url), 'utf8');

it('has a row for every backend, so that nothing moves when they come', () => {
  const list = /<ul class="backends"[\s\S]*?<\/ul>/.exec(page)?.[0] ?? '';
  expect(list.match(/<li>/g)).toHaveLength(BACKENDS.length);
});

it('names every file input, select and range', () => {
  const inputs = [...page.matchAll(/<(?:input|select|progress)[^>]*id="([^"]+)"[^>]*>/g)];
  expect(inputs.length).toBeGreaterThan(7);
  for (const [tag, id] of inputs) {
    const named = tag?.includes('aria-label=') || page.includes(`for="${id}"`) || tag?.includes('type="checkbox"');
    expect({ id, named }).toEqual({ id, named: true });
  }
});
