import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));

it('the README shows the example, and it prints what it says', () => {
  const example = readFileSync(`${PACKAGE}test/readme-example.ts`, 'utf8');
  expect(readFileSync(`${PACKAGE}README.md`, 'utf8')).toContain(`\`\`\`ts\n${example}\`\`\``);
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
  const { NODE_OPTIONS: _, VITEST: __, ...env } = process.env;
  const args = ['--conditions=@ivit/source', '--import', 'tsx', 'test/readme-example.ts'];
  const { stdout, status } = spawnSync(process.execPath, args, { cwd: PACKAGE, encoding: 'utf8', env });
  // It also ends by itself: no device keeps the process alive.
  expect({ stdout, status }).toEqual({ stdout: 'webgpu 15,16,18,2,3,4\n', status: 0 });
});
