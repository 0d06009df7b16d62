import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@ivit/backend-reference';
import { IvitError, modelId, type ValidatedProgram, validate } from '@ivit/program';
import { beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolders } from '../../test/folder.js';
import { CAT, COFFEE } from '../../test/photos.js';
import { runCli } from '../../test/run-cli.js';
import { tinyModel, writeTinyModel } from '../../test/tiny-model.js';
import { absentBackend, wrongBackend, wrongWeight } from '../../test/wrong-backends.js';
import { defaultBackends } from '../default-backends.js';
import { exitStatus, printReport, type VerifyReport } from './verify/report.js';
import { verifyAll } from './verify.js';

const folder = temporaryFolders();
const silent = { update: () => undefined };
const { signal } = new AbortController();

let program: ValidatedProgram;
beforeAll(async () => {
  program = validate((await tinyModel()).program);
});

function print(report: VerifyReport): string {
  let text = '';
  const out = (part: string): void => {
    text += part;
  };
  printReport(report, { out, err: out, terminal: false, env: {}, signal });
  return text;
}

describe('verifyAll', () => {
  it('finds the default backends equal, value by value', async () => {
    const backends = await defaultBackends({ threads: 2 });
    const report = await verifyAll({ program, backends, photos: [CAT, COFFEE], signal }, silent);
    expect(report).toMatchObject({ model: modelId(program), base: 'reference', verdict: 'equal' });
    expect(report.photos.map(({ file }) => file)).toEqual([CAT, COFFEE]);
    for (const { values, differences } of report.photos) {
      expect(differences).toEqual([]);
      expect(values['cpu']).toBeGreaterThan(0);
    }
    expect(exitStatus(report)).toBe(0);
    expect(print(report)).toMatch(/\nequal: 2 photos, [23] backends, \d values of cpu\b.*\n$/);
  });

  it('names the first value that differs, not those that follow from it, and its first wrong element', async () => {
    // Row 1 of w, that is class 1: its sum is off by one pixel's value.
    const backends = [wrongWeight('wrong', 'w', 192), createReferenceBackend()];
    const report = await verifyAll({ program, backends, photos: [CAT, COFFEE], signal }, silent);
    expect(report.verdict).toBe('different');
    expect(exitStatus(report)).toBe(3);
    const [first, second] = report.photos;
    expect(first?.differences).toHaveLength(1);
    expect(first?.differences[0]).toMatchObject({
      ...{ backend: 'wrong', against: 'reference', value: 'sums', op: 'linear', seen: 'trace' },
      element: { value: 'sums', index: 1, position: [1] },
    });
    expect(first?.values).toEqual({ wrong: 3 });
    const { element, expected, got } = first?.differences[0] ?? {};
    expect(element?.expected).not.toBe(element?.got);
    expect(expected).toMatch(/^[0-9a-f]{64}$/);
    expect(got).toMatch(/^[0-9a-f]{64}$/);
    // The element is looked for once per backend.
    expect(second?.differences[0]).toMatchObject({ value: 'sums' });
    expect(second?.differences[0]).not.toHaveProperty('element');
    const text = print(report);
    expect(text).toContain(`${CAT}: DIFFERENT\n  wrong: the first value that differs is 'sums' (linear)\n`);
    expect(text).toContain(`'sums' at [1] (element 1): expected ${element?.expected}, got ${element?.got}\n`);
    expect(text).toMatch(/DIFFERENT: 2 of 2 photos\n$/);
  });

  it('finds what goes wrong in runs and not in traces, value and element', async () => {
    const racing = wrongBackend('racing', (executable) => ({
      async run(pixels, options) {
        const outputs = await executable.run(pixels, options);
        for (const name of ['sums', program.output]) {
          const data = outputs[name]?.data;
          if (data !== undefined) data[2] = (data[2] ?? 0) + 5;
        }
        return outputs;
      },
    }));
    const backends = [racing, createReferenceBackend()];
    const report = await verifyAll({ program, backends, photos: [CAT], signal }, silent);
    const [difference, ...others] = report.photos[0]?.differences ?? [];
    expect(others).toEqual([]);
    expect(difference).toMatchObject({ backend: 'racing', value: 'logits', op: 'requantize', seen: 'run' });
    expect(difference?.element).toMatchObject({ value: 'sums', position: [2] });
    expect((difference?.element?.got ?? 0) - (difference?.element?.expected ?? 0)).toBe(5);
    expect(print(report)).toContain("racing: the output 'logits' (requantize) of its run differs, and no traced value");
  });

  it('holds a backend against its own trace, alone too', async () => {
    const backend = wrongBackend('unsteady', (executable) => ({
      async run(pixels, options) {
        const outputs = await executable.run(pixels, options);
        const data = outputs[program.output]?.data;
        if (data !== undefined) data[0] = (data[0] ?? 0) - 1;
        return outputs;
      },
    }));
    const [receipt] = await receiptsOf([CAT]);
    const stored = { file: 'r.json', receipts: receipt === undefined ? [] : [receipt] };
    const report = await verifyAll({ program, backends: [backend], photos: [CAT], stored, signal }, silent);
    expect(report.photos[0]?.differences).toMatchObject([{ against: "unsteady's own trace", seen: 'run' }]);
    expect(report.photos[0]?.receiptDifferences).toMatchObject([{ field: 'output', backends: ['unsteady'] }]);
  });

  it('compares only what both materialize', async () => {
    const fused = wrongBackend('fused', (executable) => ({
      async *trace(pixels) {
        for await (const entry of executable.trace(pixels)) if (entry.value !== 'sums') yield entry;
      },
    }));
    const backends = [fused, createReferenceBackend()];
    const report = await verifyAll({ program, backends, photos: [CAT], signal }, silent);
    expect(report).toMatchObject({ verdict: 'equal', photos: [{ values: { fused: 2 } }] });
    expect(print(report)).toMatch(/equal: 1 photo, 2 backends, 2 values of fused\n$/);
  });

  it('lists who cannot run and why, and says that there is nothing to compare', async () => {
    const lacking = { ...wrongBackend('lacking', () => ({})), compile: () => lacks('E_UNSUPPORTED_OP') };
    const backends = [absentBackend('gpu'), lacking, createReferenceBackend()];
    const report = await verifyAll({ program, backends, photos: [CAT], signal }, silent);
    expect(report).toMatchObject({ verdict: 'nothing', photos: [] });
    expect(exitStatus(report)).toBe(1);
    const text = print(report);
    expect(text).toContain('gpu         not run: E_NO_ADAPTER, no adapter here\n');
    expect(text).toContain('lacking     not run: E_UNSUPPORTED_OP, ');
    expect(text).toMatch(/nothing to compare: only reference runs here, and no --receipt was given\n$/);
    const none = await verifyAll({ program, backends: [absentBackend('gpu')], photos: [CAT], signal }, silent);
    expect(none.verdict).toBe('nothing');
    expect(print(none)).toMatch(/nothing to compare: no backend runs this model here\n$/);
  });

  it('does not call it equal where a backend that should run fails, at compile or in a run', async () => {
    const { cpu, reference } = { cpu: (await defaultBackends({ threads: 1 }))[0], reference: createReferenceBackend() };
    if (cpu === undefined) throw new Error('no cpu backend');
    const broken = { ...wrongBackend('broken', () => ({})), compile: () => lacks('E_MEMORY') };
    const lost = wrongBackend('lost', () => ({ run: () => lacks('E_DEVICE_LOST') }));
    const first = await verifyAll({ program, backends: [broken, cpu, reference], photos: [CAT], signal }, silent);
    expect(first).toMatchObject({ verdict: 'incomplete', backends: [{ status: 'failed', code: 'E_MEMORY' }, {}, {}] });
    const second = await verifyAll({ program, backends: [lost, cpu, reference], photos: [CAT], signal }, silent);
    expect(second.photos[0]?.errors).toMatchObject([{ backend: 'lost', code: 'E_DEVICE_LOST' }]);
    expect([exitStatus(first), exitStatus(second)]).toEqual([1, 1]);
    expect(print(second)).toContain('  lost: E_DEVICE_LOST: ');
  });

  it('stops when it is aborted', async () => {
    const controller = new AbortController();
    const line = { update: (label: string) => label === 'verify' && controller.abort() };
    const backends = await defaultBackends({ threads: 1 });
    const job = { program, backends, photos: [CAT], signal: controller.signal };
    await expect(verifyAll(job, line)).rejects.toMatchObject({ code: 'E_ABORTED' });
  });
});

async function lacks(code: string): Promise<never> {
  throw new IvitError(code, 'not here');
}

async function receiptsOf(
  photos: readonly string[],
): Promise<{ spec: string; model: string; pixels: string; output: string }[]> {
  const path = await writeTinyModel(await folder());
  const { stdout } = await runCli(['classify', path, ...photos, '--json', '--quiet']);
  return JSON.parse(stdout).results.map(({ receipt }: { receipt: object }) => receipt);
}

describe('ivit verify', () => {
  it('verifies the built-in model and what classify wrote of it', async () => {
    const at = await folder();
    const stored = join(at, 'receipts.json');
    await writeFile(stored, (await runCli(['classify', CAT, COFFEE, '--json', '--quiet'])).stdout);
    const result = await runCli(['verify', 'builtin', COFFEE, CAT, '--receipt', stored, '--json', '--quiet']);
    expect(result).toMatchObject({ status: 0, stderr: '' });
    const report = JSON.parse(result.stdout);
    expect(report).toMatchObject({ verdict: 'equal', base: 'reference', receipts: stored });
    expect(report.backends.map(({ status }: { status: string }) => status)).toContain('ran');
    // One backend is enough where there are receipts.
    const alone = await runCli(['verify', COFFEE, '--receipt', stored, '--backend', 'cpu', '--quiet']);
    expect(alone.status).toBe(0);
    expect(alone.stdout).toMatch(/equal: 1 photo, 1 backend, receipts of .*receipts\.json\n$/);
    const nothing = await runCli(['verify', COFFEE, '--backend', 'cpu', '--quiet']);
    expect(nothing.status).toBe(1);
    expect(nothing.stdout).toMatch(/nothing to compare: only cpu runs here/);
  });

  it.each(['model', 'pixels', 'output'] as const)('names a forged %s and exits with 3', async (field) => {
    const at = await folder();
    const path = await writeTinyModel(at);
    const document = JSON.parse((await runCli(['classify', path, CAT, COFFEE, '--json', '--quiet'])).stdout);
    const genuine: string = document.results[1].receipt[field];
    const forged = genuine.startsWith('0') ? `1${genuine.slice(1)}` : `0${genuine.slice(1)}`;
    document.results[1].receipt[field] = forged;
    // As JSON lines.
    const stored = join(at, 'receipts.jsonl');
    await writeFile(stored, document.results.map((row: object) => `${JSON.stringify(row)}\n`).join(''));
    const result = await runCli(['verify', path, CAT, COFFEE, '--receipt', stored, '--quiet']);
    expect(result).toMatchObject({ status: 3, stderr: '' });
    expect(result.stdout).toContain(`${CAT}: equal\n${COFFEE}: DIFFERENT\n  receipt: ${field} differs\n`);
    expect(result.stdout).toContain(`    expected ${forged}\n    got      ${genuine}`);
    expect(/got .*\(cpu, .*reference\)/.test(result.stdout)).toBe(field === 'output');
    expect(result.stdout).toMatch(/DIFFERENT: 1 of 2 photos\n$/);
  });

  it('exits with 1 for a photo or a file of receipts that is none, and with 2 for wrong usage', async () => {
    const at = await folder();
    const path = await writeTinyModel(at);
    const broken = join(at, 'broken.jpg');
    await writeFile(broken, (await readFile(CAT)).subarray(0, 5000));
    const photos = await runCli(['verify', path, broken, CAT, '--quiet']);
    expect(photos.status).toBe(1);
    expect(photos.stdout).toMatch(/broken\.jpg: not verified\n {2}E_[A-Z_]+: .*broken\.jpg/);
    expect(photos.stdout).toContain(`${CAT}: equal\n`);
    const stored = join(at, 'receipts.json');
    await writeFile(stored, '{"file": "cat.jpg", ');
    const receipts = await runCli(['verify', path, CAT, '--receipt', stored, '--quiet']);
    expect(receipts).toMatchObject({ status: 1, stdout: '' });
    expect(receipts.stderr).toMatch(/^ivit: E_RECEIPT: This is no JSON \(.*receipts\.json/);
    expect((await runCli(['verify', path])).status).toBe(2);
  });
});
