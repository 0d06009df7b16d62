import { type ChildProcess, spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { bundleCommand } from '../../../tools/bundle-command.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const bundle = await bundleCommand(fileURLToPath(new URL('../src/cli.ts', import.meta.url)));
afterAll(() => rm(bundle.folder, { recursive: true, force: true }));

export interface CliResult {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with all of stderr whenever some arrives. */
  readonly onStderr?: (text: string, child: ChildProcess) => void;
  /** Largest file the process may write, in units of 1024 bytes (POSIX shells only). */
  readonly fileLimit?: number;
}

/** Runs the command in a process of its own, from one bundle that was made of its sources. */
export function runCli(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const node = [process.execPath, bundle.file, ...args];
  const limited = ['bash', '-c', `ulimit -f ${options.fileLimit}; exec "$@"`, 'bash', ...node];
  const [command = '', ...rest] = options.fileLimit === undefined ? node : limited;
  return new Promise((resolve, reject) => {
    const child = spawn(command, rest, {
      cwd: ROOT,
      env: { ...process.env, NO_COLOR: '1', ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
      options.onStderr?.(stderr, child);
    });
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stdout, stderr }));
  });
}
