import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileMetadata } from '../hub/metadata.js';
import type { HubStore, StoredSink } from '../hub/store.js';
import { writeError } from './errors.js';
import { replaceFile } from './replace-file.js';
import { writeFully } from './write-fully.js';

const DIGEST = /^([0-9a-f]{64}|[0-9a-f]{40})$/;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it runs, under another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Time in which a process has written its id into the lock it made, ms. */
const LOCK_WRITTEN = 5000;

async function isHeld(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  const pid = Number(await readFile(path, 'utf8').catch(() => ''));
  if (found === undefined) return false;
  return pid > 0 ? isRunning(pid) : Date.now() - found.mtimeMs < LOCK_WRITTEN;
}

/** Takes the lock file, also from a process that is no more. False while another holds it. */
async function takeLock(path: string): Promise<boolean> {
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      await writeFile(path, String(process.pid), { flag: 'wx' });
      return true;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
      if (await isHeld(path)) return false;
      await unlink(path).catch(() => undefined);
    }
  }
  return false;
}

async function openPart(path: string): Promise<FileHandle> {
  // `r+` keeps what is there; `w+` makes the file.
  return open(path, 'r+').catch(() => open(path, 'w+'));
}

/**
 * The store in a folder: `blobs/DIGEST` for verified files, `blobs/DIGEST.part` for what is on its way (of one process
 * at a time; a second one downloads to a name of its own), `refs/…` for what addresses meant.
 */
export function folderStore(folder: string): HubStore {
  const blobs = join(folder, 'blobs');
  const refs = join(folder, 'refs');
  const refPath = (key: string): string => join(refs, `${createHash('sha256').update(key).digest('hex')}.json`);

  return {
    async read(digest) {
      return readFile(join(blobs, digest)).catch(() => undefined);
    },
    async remove(digest) {
      await unlink(join(blobs, digest)).catch(() => undefined);
    },
    async open(digest) {
      const target = join(blobs, digest);
      try {
        await mkdir(blobs, { recursive: true });
        const lock = `${target}.lock`;
        const shared = await takeLock(lock);
        const path = shared ? `${target}.part` : `${target}.${process.pid}.${randomBytes(4).toString('hex')}.part`;
        const handle = await openPart(path);
        const { size } = await handle.stat();
        return fileSink(handle, path, target, size, shared ? lock : undefined);
      } catch (error) {
        throw writeError(error, target);
      }
    },
    async recall(key) {
      const text = await readFile(refPath(key), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : parseMetadata(text);
    },
    async remember(key, metadata) {
      const path = refPath(key);
      try {
        await mkdir(refs, { recursive: true });
        await replaceFile(path, JSON.stringify({ key, ...metadata }));
      } catch (error) {
        throw writeError(error, path);
      }
    },
  };
}

function parseMetadata(text: string): FileMetadata | undefined {
  try {
    const { digest, size, commit } = JSON.parse(text);
    if (typeof digest !== 'string' || !DIGEST.test(digest)) return undefined;
    return {
      digest,
      size: typeof size === 'number' ? size : undefined,
      commit: typeof commit === 'string' ? commit : undefined,
    };
  } catch {
    return undefined;
  }
}

function fileSink(
  handle: FileHandle,
  path: string,
  target: string,
  size: number,
  lock: string | undefined,
): StoredSink {
  let length = size;
  let unsettled = true;
  async function close(): Promise<void> {
    if (!unsettled) return;
    unsettled = false;
    await handle.close().catch(() => undefined);
    // A private part is of no use to anyone else, and gone already if it was kept.
    await unlink(lock ?? path).catch(() => undefined);
  }
  return {
    get length() {
      return length;
    },
    async append(chunk) {
      try {
        await writeFully(handle, chunk, length);
      } catch (error) {
        throw writeError(error, path);
      }
      length += chunk.length;
    },
    async reset() {
      await handle.truncate(0);
      length = 0;
    },
    async bytes() {
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        const { bytesRead } = await handle.read(bytes, done, length - done, done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return bytes.subarray(0, done);
    },
    async keep() {
      try {
        await handle.sync();
        // Windows renames closed files only.
        await handle.close();
        await rename(path, target);
      } catch (error) {
        throw writeError(error, target);
      }
      await close();
    },
    close,
  };
}
