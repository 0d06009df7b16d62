import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { inRepository } from '../browser/material.js';
import { PASSED } from '../conformance/run-kit.js';

interface TestReport {
  readonly testResults: readonly {
    readonly name: string;
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

const PATIENCE = pathToFileURL(inRepository('tools/src/webgpu/patient-polling.mjs')).href;

function runVitest(report: string): Promise<number> {
  const parts = ['run', '--config', 'vitest.gpu.config.ts', '--exclude', 'src/conformance.gpu.test.ts'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const child = spawn('pnpm', ['exec', 'vitest', ...parts, ...reporters], {
    cwd: inRepository('packages/backend-webgpu'),
    env: { ...process.env, NODE_OPTIONS: `${process.env['NODE_OPTIONS'] ?? ''} --import=${PATIENCE}` },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

/**
 * The package's tests that need an adapter (`*.gpu.test.ts`), the conformance suite apart: what they gave by name, and what each
 * must give. A test that was left out, or a run without tests, counts as a difference.
 */
export async function gpuTests(): Promise<{
  readonly found: Readonly<Record<string, string>>;
  readonly expected: Readonly<Record<string, string>>;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'ivit-webgpu-'));
  try {
    const report = join(folder, 'vitest.json');
    const found: Record<string, string> = { 'tests: exit code': String(await runVitest(report)) };
    const expected: Record<string, string> = { 'tests: exit code': '0' };
    const { testResults } = JSON.parse(readFileSync(report, 'utf8')) as TestReport;
    for (const { assertionResults } of testResults) {
      for (const { fullName, status, failureMessages } of assertionResults) {
        found[`tests: ${fullName}`] = status === 'passed' ? PASSED : (failureMessages?.[0] ?? status);
        expected[`tests: ${fullName}`] = PASSED;
      }
    }
    return { found, expected };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
