import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import { ROOT } from './places.js';

/** The commit that is measured; says so when files differ from it. */
export function commit(): string {
  const git = (...args: string[]): string => spawnSync('git', args, { cwd: ROOT, encoding: 'utf8' }).stdout ?? '';
  const head = git('rev-parse', 'HEAD').trim();
  if (head === '') return 'unknown';
  return git('status', '--porcelain', '--untracked-files=no').trim() === '' ? head : `${head} and changes`;
}

export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly system: string;
}

export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    system: `${type()} ${release()} ${process.arch}`,
  };
}
