import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const README = new URL('../README.md', import.meta.url);
const PHOTOS = fileURLToPath(new URL('../photos', import.meta.url));

it("runs the README's example", () => {
  const example = /```ts\n([\s\S]*?)```/.exec(readFileSync(README, 'utf8'))?.[1] ?? '';
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
  const args = ['--conditions=@ivit/source', '--import', 'tsx', '--input-type=module', '-e', example];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: PHOTOS, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
  expect(stdout).toMatch(/^[a-z]+ [0-9.]+\n/);
  expect(stdout).toMatch(/spec: 'ivit\/1'/);
});
