import { readFile, rm, writeFile } from 'node:fs/promises';
import { IvitError } from 'ivit';
import { outputError, systemCode } from './errors.js';

/** Whether a process of this machine runs. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, as somebody else's.
    return systemCode(error) === 'EPERM';
  }
}

/**
 * Keeps other runs away from an output: `FILE.lock` holds the process's id. The lock of a process that has gone is taken over.
 *
 * @returns what gives it back
 * @throws E_OUTPUT
 */
export async function lockOutput(path: string): Promise<() => Promise<void>> {
  const lock = `${path}.lock`;
  for (let attempt = 0; ; attempt++) {
    try {
      await writeFile(lock, `${process.pid}\n`, { flag: 'wx' });
      return () => rm(lock, { force: true });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST' || attempt > 2) throw outputError(error, path);
    }
    const owner = Number((await readFile(lock, 'utf8').catch(() => '')).trim());
    if (Number.isInteger(owner) && owner > 0 && owner !== process.pid && isAlive(owner)) {
      throw new IvitError('E_OUTPUT', `Process ${owner} is writing it`, {
        where: path,
        hint: `Wait for it. If process ${owner} is something else, delete ${lock}.`,
      });
    }
    await rm(lock, { force: true });
  }
}
