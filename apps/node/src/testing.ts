import { type ChildProcess, spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach } from 'vitest';
import { bundleCommand } from '../../../tools/bundle-command.mjs';

const MAIN = fileURLToPath(new URL('main.ts', import.meta.url));
const bundle = await bundleCommand(MAIN);
afterAll(() => rm(bundle.folder, { recursive: true, force: true }));
/** How the package's own script starts it: from its sources, one by one. */
export const SOURCES: readonly string[] = ['--conditions=@ivit/source', '--import', 'tsx', MAIN];

/** Photos of the package `ivit`. */
export const photoOf = (name: string): string =>
  fileURLToPath(new URL(`../../../packages/ivit/photos/${name}`, import.meta.url));

/** Makes empty folders that are removed after each test. */
export function temporaryFolders(): () => Promise<string> {
  const made: string[] = [];
  afterEach(async () => {
    for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  return async () => {
    const folder = await mkdtemp(join(tmpdir(), 'label-folder-'));
    made.push(folder);
    return folder;
  };
}

/** Puts a copy of a photo there, changed at a fixed time, so that rows of two folders are equal. */
export async function putPhoto(path: string, photo: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await copyFile(photoOf(photo), path);
  await utimes(path, 1_700_000_000, 1_700_000_000);
}

export interface Finished {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly finished: Promise<Finished>;
}

/** Starts the command in a process of its own, from one file that was made of its sources. */
export function start(args: readonly string[], command: readonly string[] = [bundle.file]): Running {
  const child = spawn(process.execPath, [...command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const finished = new Promise<Finished>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ status, signal, stderr }));
  });
  return { child, finished };
}

export const run = (args: readonly string[], command?: readonly string[]): Promise<Finished> =>
  start(args, command).finished;

/** Waits until the file has so many lines. Fails with what the process said if it ends before. */
export async function untilLines(running: Running, path: string, count: number): Promise<void> {
  let ended: Finished | undefined;
  void running.finished.then((result) => {
    ended = result;
  });
  while (true) {
    const lines = (await readFile(path, 'utf8').catch(() => '')).split('\n').length - 1;
    if (lines >= count) return;
    if (ended !== undefined) throw new Error(`it ended before ${count} lines: ${JSON.stringify(ended)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Ids of a process's children (Linux). */
export async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until none of the processes runs. */
export async function untilGone(pids: readonly number[]): Promise<void> {
  const end = performance.now() + 20_000;
  while (pids.some(isAlive)) {
    if (performance.now() > end) throw new Error(`still there: ${pids.filter(isAlive)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
