import { randomBytes } from 'node:crypto';
import { unlinkSync } from 'node:fs';
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { IvitError } from '@ivit/program';
import { writeError } from './errors.js';
import { writeFully } from './write-fully.js';

/** A file that appears whole or not at all. */
export interface OutputFile {
  /** Writes the bytes beside the target, then puts them in its place. @throws E_OUTPUT, leaving nothing behind */
  commit(bytes: Uint8Array): Promise<void>;
  /** Gives it up, leaving nothing behind. Harmless after `commit`. */
  discard(): Promise<void>;
}

export interface OpenOutputOptions {
  /** For tests of failing disks. */
  readonly open?: (path: string, flags: string) => Promise<FileHandle>;
}

// Temporary files of this process: removed when it ends by a signal in the midst of things.
const pending = new Set<string>();

function removePending(): void {
  for (const path of pending) {
    try {
      unlinkSync(path);
    } catch {
      // Nothing is left to remove it from.
    }
  }
}

async function assertReplaceable(path: string): Promise<void> {
  const existing = await stat(path).catch(() => undefined);
  if (existing !== undefined && !existing.isFile()) {
    const what = existing.isDirectory() ? 'a folder' : 'no ordinary file';
    throw new IvitError('E_OUTPUT', `It is ${what}`, { where: path, hint: 'Name a file to write.' });
  }
}

/**
 * Opens an output at once, so that an unwritable folder is known before the work and not after it. The bytes go to a
 * temporary file in the same folder, which `commit` renames.
 *
 * @throws E_OUTPUT (missing or unwritable folder, a folder in its place)
 */
export async function openOutput(path: string, options: OpenOutputOptions = {}): Promise<OutputFile> {
  await assertReplaceable(path);
  const part = join(dirname(path), `.${basename(path)}.${process.pid}.${randomBytes(4).toString('hex')}.part`);
  let handle: FileHandle;
  try {
    handle = await (options.open ?? open)(part, 'wx');
  } catch (error) {
    throw writeError(error, path);
  }
  if (pending.size === 0) process.once('exit', removePending);
  pending.add(part);
  let unsettled = true;

  async function discard(): Promise<void> {
    if (!unsettled) return;
    unsettled = false;
    await handle.close().catch(() => undefined);
    await unlink(part).catch(() => undefined);
    settle();
  }

  function settle(): void {
    pending.delete(part);
    if (pending.size === 0) process.removeListener('exit', removePending);
  }

  return {
    discard,
    async commit(bytes) {
      try {
        await writeFully(handle, bytes, 0);
        await handle.sync();
        await handle.close();
        await rename(part, path);
      } catch (error) {
        await discard();
        throw writeError(error, path);
      }
      unsettled = false;
      settle();
    },
  };
}
