import { IvitError } from '@ivit/program';
import { throwIfAborted } from './abort.js';
import { hasNode } from './environment.js';
import { download } from './hub/download.js';
import type { HttpOptions } from './hub/http.js';
import { memorySink } from './hub/sink.js';
import type { OnProgress } from './progress.js';

export interface ReadOptions extends HttpOptions {
  readonly onProgress?: OnProgress;
}

/** `https://…`, `file:///…`: a scheme of two letters or more, since `C:\` is a drive. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]+:/;

async function readPath(path: string | URL, options: ReadOptions): Promise<Uint8Array> {
  const [{ readFile }, { readError }] = await Promise.all([import('node:fs/promises'), import('./node/errors.js')]);
  throwIfAborted(options.signal, String(path));
  try {
    // Not the `signal` of `readFile`: an abort must be the coded error.
    const bytes = await readFile(path);
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  } catch (error) {
    throw readError(error, path instanceof URL ? path.href : path);
  }
}

async function readUrl(url: string, options: ReadOptions): Promise<Uint8Array> {
  const sink = memorySink();
  await download(url, sink, { ...options, file: url });
  return sink.bytes();
}

/**
 * The bytes behind a path or URL. In Node a string without a scheme is a path and `file:` URLs are read; elsewhere
 * everything is fetched.
 *
 * @throws E_READ (file system), E_NOT_FOUND, E_ACCESS, E_NETWORK (fetch), E_INPUT (unknown scheme), E_ABORTED
 */
export async function readBytes(source: string | URL, options: ReadOptions): Promise<Uint8Array> {
  const text = source instanceof URL ? source.href : source;
  const scheme = SCHEME.exec(text)?.[0].toLowerCase();
  if (scheme === 'file:' && hasNode()) return readPath(new URL(text), options);
  if (scheme === undefined && hasNode()) return readPath(text, options);
  if (scheme === undefined || ['http:', 'https:', 'blob:', 'data:', 'file:'].includes(scheme)) {
    return readUrl(text, options);
  }
  throw new IvitError('E_INPUT', `Nothing is known of the scheme ${scheme}`, {
    where: text,
    hint: 'Pass a path, an http(s) or file URL, hf:owner/name, or builtin.',
  });
}
