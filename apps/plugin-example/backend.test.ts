import { readFileSync } from 'node:fs';
import { runBackendConformance } from '@ivit/backend-testkit';
import { describe, expect, it } from 'vitest';
import { createExampleBackend } from './backend.js';

runBackendConformance({ describe, it }, { create: createExampleBackend });

it('is one short file that imports nothing but the contract', () => {
  const source = readFileSync(new URL('backend.ts', import.meta.url), 'utf8');
  expect(source.trimEnd().split('\n').length).toBeLessThanOrEqual(150);
  expect([...source.matchAll(/from '(.*)'/g)].map(([, name]) => name)).toEqual(['@ivit/backend']);
});
