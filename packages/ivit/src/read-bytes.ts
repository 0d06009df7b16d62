import { IvitError, throwIfAborted } from '@ivit/program';
import { hasNode } from './environment.js';
import type { HttpOptions } from './hub/http.js';
import type { OnProgress } from './progress.js';

export interface ReadOptions extends HttpOptions {
  readonly onProgress?: OnProgress;
}

/** `https://…`, `file:///…`: a scheme of two letters or more, since `C:\` is a drive. */
const SCHEME = /^[A-Za-z][A-Za-z0-9+.-]+:/;

async function readLocal(path: string | URL, options: ReadOptions): Promise<Uint8Array> {
  const { readPath } = await import('#node');
  throwIfAborted(options.signal, 'Reading', String(path));
  return readPath(path);
}

async function readUrl(url: string, options: ReadOptions): Promise<Uint8Array> {
  const { download, memorySink } = await import('./hub/download.js');
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
  if (scheme === 'file:' && hasNode()) return readLocal(new URL(text), options);
  if (scheme === undefined && hasNode()) return readLocal(text, options);
  if (scheme === undefined || ['http:', 'https:', 'blob:', 'data:', 'file:'].includes(scheme)) {
    return readUrl(text, options);
  }
  throw new IvitError('E_INPUT', `Nothing is known of the scheme ${scheme}`, {
    where: text,
    hint: 'Pass a path, an http(s) or file URL, hf:owner/name, or builtin.',
  });
}
