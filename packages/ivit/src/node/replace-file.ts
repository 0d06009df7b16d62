import { randomBytes } from 'node:crypto';
import { rename, unlink, writeFile } from 'node:fs/promises';

/** Writes a file of a cache so that readers see the old or the new one, never a part. Throws what the system says. */
export async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  // Random: one process may write the same file twice at once.
  const part = `${path}.${randomBytes(6).toString('hex')}.part`;
  try {
    await writeFile(part, content);
    await rename(part, path);
  } catch (error) {
    await unlink(part).catch(() => undefined);
    throw error;
  }
}
