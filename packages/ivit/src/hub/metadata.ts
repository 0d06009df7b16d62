import { IvitError } from '@ivit/program';
import { failStatus, fetchOf, type HttpOptions, TransientError, withRetries } from './http.js';

/** What the hub says about a file before it is fetched. */
export interface FileMetadata {
  /** 64 hex digits: sha256 (large files); 40: the git blob's sha1 (small ones); undefined: hidden by the browser. */
  readonly digest: string | undefined;
  readonly size: number | undefined;
  /** Commit that the revision means now. */
  readonly commit: string | undefined;
}

const REDIRECTS = 5;

function numberOf(text: string | null): number | undefined {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** `W/"abc"` → `abc`. */
function plainEtag(etag: string | null): string | undefined {
  return etag?.replace(/^W\//, '').replace(/^"|"$/g, '').toLowerCase();
}

/**
 * Asks the hub about a file. Large files answer with a redirect to a store elsewhere and carry `x-linked-etag` (the
 * sha256) and `x-linked-size`; small ones with their git sha1 as `etag`. Redirects on the hub itself (a renamed
 * repository) are followed.
 *
 * @throws E_HUB (no checksum in the answer), E_NOT_FOUND, E_ACCESS, E_NETWORK, E_ABORTED
 */
export async function fileMetadata(url: string, options: HttpOptions): Promise<FileMetadata> {
  async function once(signal: AbortSignal): Promise<FileMetadata> {
    let at = url;
    for (let hop = 0; hop <= REDIRECTS; hop++) {
      const response = await fetchOf(options)(at, {
        method: 'HEAD',
        redirect: 'manual',
        headers: { 'accept-encoding': 'identity' },
        signal,
      });
      // Browsers hide what a redirect says.
      if (response.type === 'opaqueredirect') return { digest: undefined, size: undefined, commit: undefined };
      const linked = plainEtag(response.headers.get('x-linked-etag'));
      const redirected = response.status >= 300 && response.status < 400;
      const location = redirected ? response.headers.get('location') : null;
      if (linked === undefined && location !== null) {
        const next = new URL(location, at);
        if (next.origin !== new URL(at).origin) break;
        at = next.href;
        continue;
      }
      if (!redirected && !response.ok) failStatus(response, at);
      const digest = linked ?? plainEtag(response.headers.get('etag'));
      if (digest === undefined || !/^([0-9a-f]{64}|[0-9a-f]{40})$/.test(digest)) break;
      return {
        digest,
        size: numberOf(response.headers.get(linked === undefined ? 'content-length' : 'x-linked-size')),
        commit: response.headers.get('x-repo-commit') ?? undefined,
      };
    }
    throw new IvitError('E_HUB', 'The server names no checksum for the file', {
      where: url,
      hint: 'It does not speak as the Hugging Face hub does; download the file and pass its path.',
    });
  }
  return withRetries(
    async (signal) => {
      try {
        return await once(signal);
      } catch (error) {
        if (IvitError.isInstance(error) || error instanceof TransientError) throw error;
        throw new TransientError('no answer', { cause: error });
      }
    },
    () => 0,
    url,
    options,
  );
}
