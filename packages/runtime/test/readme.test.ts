import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { writeProgram } from '@ivit/formats/program';
import { expect, it } from 'vitest';
import { checkedProgram } from './tiny-program.js';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const CAT = fileURLToPath(new URL('../../ivit/photos/cat.jpg', import.meta.url));

it("runs the README's example", () => {
  const readme = readFileSync(join(PACKAGE, 'README.md'), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
  expect(example.trim().split('\n').length).toBeLessThanOrEqual(15);
  const folder = mkdtempSync(join(tmpdir(), 'ivit-readme-'));
  try {
    const file = join(folder, 'model.safetensors');
    writeFileSync(file, writeProgram(checkedProgram()));
    const code = example.replace("'model.safetensors'", JSON.stringify(file)).replace("'cat.jpg'", JSON.stringify(CAT));
    const print = 'console.log(JSON.stringify({ best, receipt: result.receipt, names: Object.keys(result.outputs) }));';
    const args = ['--conditions=@ivit/source', '--import', 'tsx', '--input-type=module', '-e', `${code}\n${print}`];
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { cwd: PACKAGE, encoding: 'utf8' });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      best: { index: expect.any(Number), score: expect.any(Number) },
      receipt: { spec: 'ivit/1' },
      names: ['logits', 'embedding'],
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
