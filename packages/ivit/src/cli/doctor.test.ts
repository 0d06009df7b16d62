import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createReferenceBackend } from '@ivit/backend-reference';
import { writeProgram } from '@ivit/formats/program';
import { modelId, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { temporaryFolders } from '../../test/folder.js';
import { runCli } from '../../test/run-cli.js';
import { tinyModel, writeTinyModel } from '../../test/tiny-model.js';
import { absentBackend, wrongBackend } from '../../test/wrong-backends.js';
import { BUNDLED_PHOTO } from '../photos.js';
import { readBytes } from '../read-bytes.js';
import { examine } from './doctor.js';

const folder = temporaryFolders();

describe('ivit doctor', () => {
  it('says what runs here, and that the backends agree on the built-in model', async () => {
    const { status, stdout, stderr } = await runCli(['doctor', '--json', '--quiet']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      machine: { node: process.versions.node, webAssembly: true, simd: true, sharedMemory: true },
      model: 'builtin',
      chosen: 'cpu',
      receiptsEqual: true,
      backends: [
        { name: 'cpu', probe: { available: true }, trial: { selfCheck: 'passed', answer: { label: 'bird' } } },
        { name: 'webgpu' },
        { name: 'reference', probe: { available: true }, trial: { selfCheck: 'passed' } },
      ],
    });
    expect(report.machine.cores).toBeGreaterThan(0);
    expect(report.backends[0].trial.receipt).toEqual(report.backends[2].trial.receipt);
    const { probe, trial } = report.backends[1];
    if (!probe.available) expect(probe.code).toMatch(/^E_NO_(WEBGPU|ADAPTER|DEVICE)$/);
    else expect(trial).toMatchObject({ selfCheck: 'passed', receipt: report.backends[0].trial.receipt });
  });

  it("prints it, for a model and a backend of one's own choice", async () => {
    const { program } = await tinyModel();
    const path = await writeTinyModel(await folder());
    const { status, stdout } = await runCli(['doctor', path, '--backend', 'reference']);
    expect(status).toBe(0);
    expect(stdout).toContain(`model       ${path}\n`);
    expect(stdout).toContain('reference   available on JavaScript, threads 1\n');
    expect(stdout).toContain('self-check passed');
    expect(stdout).toContain(`"model":"${modelId(program)}"`);
    expect(stdout).toMatch(/chosen {6}reference\n$/);
    expect(stdout).not.toMatch(/^cpu /m);
  });

  it('says what a backend does not use, and why', async () => {
    const { stdout } = await runCli(['doctor', await writeTinyModel(await folder()), '--threads', '1', '--quiet']);
    expect(stdout).toMatch(
      /^cpu {9}available on WebAssembly, threads 1, simd128.*\n(.*\n)? {12}one thread: as asked\n/m,
    );
  });

  it('exits with 1 where no backend passes the self-check', async () => {
    const { program } = await tinyModel();
    const path = join(await folder(), 'tiny.safetensors');
    await writeFile(path, writeProgram({ ...program, selfCheck: { seed: 1, sha256: '0'.repeat(64) } }));
    const { status, stdout } = await runCli(['doctor', path, '--quiet']);
    expect(status).toBe(1);
    expect(stdout.match(/fails: E_SELF_CHECK/g)).toHaveLength(2);
    expect(stdout).toContain('chosen      none');
  });

  it('exits with 1 for a model that is none', async () => {
    const { status, stderr } = await runCli(['doctor', 'none.safetensors', '--quiet']);
    expect(status).toBe(1);
    expect(stderr).toMatch(/^ivit: E_READ: /);
  });
});

describe('examine', () => {
  it('says why a backend is not available, and notices one that computes otherwise', async () => {
    const { program: checked } = await tinyModel();
    const { selfCheck: _, ...unchecked } = checked;
    const program = validate(unchecked);
    const photo = await readBytes(BUNDLED_PHOTO, {});
    const { signal } = new AbortController();
    const reference = createReferenceBackend();
    const absent = absentBackend('absent');
    const wrong = wrongBackend('wrong', (executable) => ({
      async run(pixels, options) {
        const outputs = await executable.run(pixels, options);
        for (const { data } of Object.values(outputs)) data[0] = (data[0] ?? 0) + 1;
        return outputs;
      },
    }));
    const names: string[] = [];
    const found = await examine([absent, reference, wrong], { program, photo, signal }, (name) => names.push(name));
    expect(names).toEqual(['absent', 'reference', 'wrong']);
    expect(found).toMatchObject({ chosen: 'reference', receiptsEqual: false });
    expect(found.backends[0]).toEqual({
      name: 'absent',
      version: reference.version,
      probe: { available: false, code: 'E_NO_ADAPTER', reason: 'no adapter here' },
    });
    expect(found.backends[1]?.trial).toMatchObject({ selfCheck: 'absent' });
    const alone = await examine([reference], { program, photo, signal }, () => undefined);
    expect(alone).toMatchObject({ chosen: 'reference', receiptsEqual: true });
  });
});
