import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
}

/** Runs a script of `test/children` in a process of its own; one that does not end by itself is killed: code null. */
export function runChild(script: string, args: readonly string[], limit: number): Promise<Ended> {
  const path = fileURLToPath(new URL(`../children/${script}`, import.meta.url));
  const flags = ['--expose-gc', '--conditions=@ivit/source', '--import', 'tsx'];
  const began = performance.now();
  const child = spawn(process.execPath, [...flags, path, ...args], {
    cwd: fileURLToPath(new URL('../../../..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limit,
    killSignal: 'SIGKILL',
  });
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part: string) => {
      text[name] += part;
    });
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...text, milliseconds: performance.now() - began }));
  });
}
