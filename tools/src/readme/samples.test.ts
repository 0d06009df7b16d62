/**
 * Code samples of READMEs whose packages have no test of their own for them, as they stand there, each in a process of its own. What a
 * sample takes for granted (a program, pixels, files) is put in front of it.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floatVitFiles } from '../../../packages/ivit/test/float-vit.js';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** No dependency of the tools. */
const BUILTIN = join(ROOT, 'packages/model-cifar10/src/index.ts');
const PHOTO = join(ROOT, 'packages/ivit/photos/cat.jpg');

/** A folder with a float ViT. */
let folder = '';
/** Where the samples lie: below `tools`, so that they find the packages. */
let scripts = '';
let made = 0;
beforeAll(() => {
  scripts = mkdtempSync(join(ROOT, 'tools/node_modules/.samples-'));
  folder = mkdtempSync(join(tmpdir(), 'ivit-samples-'));
  for (const [name, bytes] of floatVitFiles()) writeFileSync(join(folder, name), bytes);
});
afterAll(() => {
  for (const made of [folder, scripts]) rmSync(made, { recursive: true, force: true });
});

function sample(name: string, index: number): string {
  const readme = readFileSync(join(ROOT, 'packages', name, 'README.md'), 'utf8');
  const code = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)][index]?.[1] ?? '';
  expect(code.trim().split('\n').length, `lines of sample ${index} of ${name}`).toBeGreaterThan(1);
  expect(code.trim().split('\n').length, `lines of sample ${index} of ${name}`).toBeLessThanOrEqual(15);
  return code;
}

/** What the code prints. Fails on anything on stderr, and on another exit code than 0. */
async function run(code: string): Promise<string> {
  const file = join(scripts, `${made++}.mts`);
  writeFileSync(file, code);
  const args = ['--conditions=@ivit/source', '--import', 'tsx', file];
  const child = spawn(process.execPath, args, { cwd: join(ROOT, 'tools'), stdio: ['ignore', 'pipe', 'pipe'] });
  let [printed, failed] = ['', ''];
  child.stdout.on('data', (chunk) => {
    printed += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    failed += String(chunk);
  });
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  expect({ status, failed }).toEqual({ status: 0, failed: '' });
  return printed;
}

/** A program of one linear layer on 2×2 pixels, and two images. */
const PROGRAM = `
  import { createProgramBuilder } from '@ivit/program';
  const b = createProgramBuilder('pixels', [2, 2, 3]);
  b.constant('center', 'i8', [256], Array.from({ length: 256 }, (_, i) => i - 128));
  b.constant('w', 'i8', [2, 12], new Array(24).fill(1));
  b.add({ op: 'lookup', result: 'x', x: { value: 'pixels' }, table: 'center' });
  b.add({ op: 'linear', result: 'logits', x: b.reshape('x', [12]), w: 'w' });
  const program = b.build({ output: 'logits' });
`;

describe('the sample of', () => {
  it('backend-cpu', async () => {
    const before = `${PROGRAM} const pixels = new Uint8Array(12).fill(129);`;
    const printed = await run(`${before}${sample('backend-cpu', 0)}\nconsole.log([...outputs.logits.data].join());`);
    expect(printed).toMatch(/backend: 'cpu'[\s\S]*threads: 2[\s\S]*\n12,12\n$/);
  });

  it('backend-reference', async () => {
    const before = `${PROGRAM} const pixels = new Uint8Array(24).fill(129);`;
    expect(await run(before + sample('backend-reference', 0))).toMatch(/^Int32Array\(4\) \[ 12, 12, 12, 12 \]\n$/);
  });

  it('formats', async () => {
    expect(await run(sample('formats', 0))).toMatch(
      /^an example head\.bias \[ 2 \] byte \d+ Float32Array\(2\) \[ 1, -2 \]\n$/,
    );
  });

  it('image', async () => {
    const code = sample('image', 0).replace("readFile('photo.jpg')", `readFile(${JSON.stringify(PHOTO)})`);
    expect(await run(code)).toMatch(/^\d+ \d+ 150528\n$/);
  });

  it('model-cifar10', async () => {
    const local = sample('model-cifar10', 0).replace("'@ivit/model-cifar10'", JSON.stringify(BUILTIN));
    const code = `${local}console.log(file.protocol, Object.keys(metadata).join(), metadata.labels.length);`;
    expect(await run(code)).toBe('file: sha256,model,bytes,labels 10\n');
  });

  it('models', async () => {
    const code = sample('models', 0).replace("'deit_tiny_patch16_224'", JSON.stringify(folder));
    expect(await run(code)).toMatch(/^(cat|cup|rocket)\n$/);
  });

  it('program', async () => {
    // Twelve numbers of at most 128 each, whatever their sign.
    expect(await run(sample('program', 0))).toMatch(/^\{ lo: -1536, hi: 1536 \} [0-9a-f]{64}\n$/);
  });

  it('program, of a backend made with its queue', async () => {
    const before = `
      import { RunQueue } from '@ivit/program';
      const [info, maxBatch, imageBytes] = [{}, 2, 3];
      const memory = { freed: 0, free() { this.freed += 1; } };
      const compute = async (_, pixels, { batch }) => ({ sum: pixels.length * batch });
      const digests = function* () { yield 'digest'; };
      const create = () => {`;
    const after = `};
      const executable = create();
      console.log((await executable.run(new Uint8Array(6), { batch: 2 })).sum);
      for await (const entry of executable.trace(new Uint8Array(3))) console.log(entry);
      await executable.dispose();
      console.log(memory.freed, await executable.run(new Uint8Array(3), { batch: 1 }).catch(({ code }) => code));`;
    expect(await run(before + sample('program', 1) + after)).toBe('12\ndigest\n1 E_DISPOSED\n');
  });
});
