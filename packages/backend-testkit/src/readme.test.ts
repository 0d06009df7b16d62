import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { vectorFiles } from './vectors/files.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

it('the README counts the vectors', () => {
  const cases = vectorFiles().flatMap(({ groups }) => groups.flatMap((group) => group.cases()));
  expect(readFileSync(`${PACKAGE}README.md`, 'utf8')).toContain(` ${cases.length} vectors `);
});

it('the README shows the example, and it runs under node:test', { timeout: 120_000 }, () => {
  const example = readFileSync(`${PACKAGE}test/readme-example.ts`, 'utf8');
  expect(readFileSync(`${PACKAGE}README.md`, 'utf8')).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
  const args = [
    '--conditions=@ivit/source',
    '--import',
    'tsx',
    '--test',
    '--test-reporter=tap',
    'test/readme-example.ts',
  ];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: PACKAGE, encoding: 'utf8', env });
  const count = (kind: string): number => Number(new RegExp(`^# ${kind} (\\d+)$`, 'm').exec(stdout)?.[1]);
  expect(count('fail'), stdout.slice(0, 3000)).toBe(0);
  expect(count('pass')).toBeGreaterThan(85);
  expect(status).toBe(0);
});
