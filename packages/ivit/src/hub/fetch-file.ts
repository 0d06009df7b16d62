import { IvitError } from '@ivit/program';
import type { OnProgress } from '../progress.js';
import { fileUrl, type HubAddress } from './address.js';
import { download } from './download.js';
import type { HttpOptions } from './http.js';
import { type FileMetadata, fileMetadata } from './metadata.js';
import { memorySink } from './sink.js';
import type { HubStore } from './store.js';
import { assertDigest, hasDigest } from './verify.js';

export const DEFAULT_ENDPOINT = 'https://huggingface.co';

export interface HubAccess extends HttpOptions {
  /** Base URL of the hub. Default `https://huggingface.co`. */
  readonly endpoint?: string;
  /** Where downloads are kept; without it they pass through memory. */
  readonly store?: HubStore;
  readonly onProgress?: OnProgress;
}

/** A commit's files never change. */
const COMMIT = /^[0-9a-f]{40}$/;

/** What an address means now; what it meant last time where it is a commit, or where the hub cannot be reached. */
async function describe(address: HubAddress, file: string, access: HubAccess): Promise<FileMetadata> {
  const endpoint = access.endpoint ?? DEFAULT_ENDPOINT;
  const key = fileUrl(endpoint, address, address.revision, file);
  const known = await access.store?.recall(key);
  if (known !== undefined && COMMIT.test(address.revision)) return known;
  try {
    const metadata = await fileMetadata(key, access);
    await access.store?.remember(key, metadata);
    return metadata;
  } catch (error) {
    if (known !== undefined && IvitError.isInstance(error) && error.code === 'E_NETWORK') return known;
    throw error;
  }
}

/**
 * The bytes of a file of the hub, checked against the hub's digest: from the store if it has them, else downloaded
 * (and taken up where an earlier download broke). A browser that hides the digest behind a redirect gives unchecked
 * bytes: pass `integrity` there.
 *
 * @throws E_NOT_FOUND, E_ACCESS, E_NETWORK, E_HUB, E_HASH, E_ABORTED, E_OUTPUT (the store cannot be written)
 */
export async function fetchHubFile(address: HubAddress, file: string, access: HubAccess): Promise<Uint8Array> {
  const endpoint = access.endpoint ?? DEFAULT_ENDPOINT;
  const { digest, size, commit } = await describe(address, file, access);
  const url = fileUrl(endpoint, address, commit ?? address.revision, file);
  const options = { ...access, file, ...(size === undefined ? {} : { size }) };
  const { store, onProgress } = access;
  if (digest === undefined || store === undefined) {
    const sink = memorySink();
    await download(url, sink, options);
    const bytes = await sink.bytes();
    if (digest !== undefined) assertDigest(bytes, digest, url);
    return bytes;
  }

  const stored = await store.read(digest);
  if (stored !== undefined) {
    if (hasDigest(stored, digest)) {
      onProgress?.({ phase: 'cached', file });
      return stored;
    }
    // Damaged on disk since it was kept.
    await store.remove(digest);
  }
  const sink = await store.open(digest);
  try {
    const resumed = sink.length > 0;
    await download(url, sink, options);
    let bytes = await sink.bytes();
    if (resumed && !hasDigest(bytes, digest)) {
      // The part that was there may be the damaged one: once more, from the start.
      await sink.reset();
      await download(url, sink, options);
      bytes = await sink.bytes();
    }
    if (!hasDigest(bytes, digest)) await sink.reset();
    assertDigest(bytes, digest, url);
    await sink.keep();
    return bytes;
  } finally {
    await sink.close();
  }
}

/** As {@link fetchHubFile}, but undefined for a file that the repository does not have. */
export async function fetchOptionalHubFile(
  address: HubAddress,
  file: string,
  access: HubAccess,
): Promise<Uint8Array | undefined> {
  try {
    return await fetchHubFile(address, file, access);
  } catch (error) {
    if (IvitError.isInstance(error) && error.code === 'E_NOT_FOUND') return undefined;
    throw error;
  }
}
