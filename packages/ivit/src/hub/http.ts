import { abortError, IvitError, throwIfAborted } from '@ivit/program';
import { pause } from './pause.js';

/** The part of `fetch` that is used. */
export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

export interface HttpOptions {
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch;
  /** Attempts in a row that may fail without a single new byte. Default 4. */
  readonly attempts?: number;
  /** Wait before the second attempt, milliseconds; doubles each time. Default 300. */
  readonly backoff?: number;
  /** An attempt ends when no byte has arrived for this long, milliseconds. Default 30,000. */
  readonly stall?: number;
  readonly signal?: AbortSignal;
}

export function fetchOf(options: HttpOptions): Fetch {
  return options.fetch ?? ((url, init) => fetch(url, init));
}

/** An error that another attempt may cure. */
export class TransientError extends Error {}

/**
 * Turns a status into an error: coded where another attempt is of no use, transient otherwise.
 * @throws E_NOT_FOUND (404, 410), E_ACCESS (401, 403), E_NETWORK (another refusal), TransientError (408, 429, 5xx)
 */
export function failStatus(response: Response, url: string): never {
  const { status } = response;
  // The hub names what is missing: RepoNotFound, RevisionNotFound, EntryNotFound, GatedRepo.
  const named = response.headers.get('x-error-code');
  const detail = named === null ? `HTTP ${status}` : `HTTP ${status}, ${named}`;
  if (status === 404 || status === 410) {
    throw new IvitError('E_NOT_FOUND', `Not found (${detail})`, { where: url });
  }
  if (status === 401 || status === 403) {
    throw new IvitError('E_ACCESS', `No access (${detail})`, {
      where: url,
      hint: 'Only public repositories can be read; a name that does not exist gives this too.',
    });
  }
  if (status === 408 || status === 429 || status >= 500) throw new TransientError(detail);
  throw new IvitError('E_NETWORK', `The server refused (${detail})`, { where: url });
}

/** Runs `work` with a signal that also fires when `progress` stands still for `stall` milliseconds. */
async function watched<T>(
  work: (signal: AbortSignal) => Promise<T>,
  progress: () => number,
  { stall = 30_000, signal }: HttpOptions,
): Promise<T> {
  const watch = new AbortController();
  let seen = progress();
  const timer = setInterval(() => {
    const now = progress();
    if (now === seen) watch.abort();
    seen = now;
  }, stall);
  try {
    return await work(signal === undefined ? watch.signal : AbortSignal.any([signal, watch.signal]));
  } catch (error) {
    if (watch.signal.aborted) throw new TransientError(`nothing arrived for ${stall} ms`, { cause: error });
    throw error;
  } finally {
    clearInterval(timer);
  }
}

/**
 * Calls `work` until it succeeds, fails for good, or has failed `attempts` times in a row without progress.
 *
 * @param progress a number that grows when bytes arrive
 * @throws E_NETWORK when attempts run out, E_ABORTED, and whatever coded error `work` throws
 */
export async function withRetries<T>(
  work: (signal: AbortSignal) => Promise<T>,
  progress: () => number,
  url: string,
  options: HttpOptions,
): Promise<T> {
  const { attempts = 4, backoff = 300, signal } = options;
  let failures = 0;
  for (;;) {
    throwIfAborted(signal, 'The download', url);
    const before = progress();
    try {
      return await watched(work, progress, options);
    } catch (error) {
      if (signal?.aborted) throw abortError(signal, 'The download', url);
      if (IvitError.isInstance(error)) throw error;
      failures = progress() > before ? 1 : failures + 1;
      if (failures >= attempts) {
        const reason = error instanceof Error ? describeCause(error) : String(error);
        throw new IvitError('E_NETWORK', `The download failed: ${reason}`, {
          where: url,
          hint: 'Try again; what has arrived is kept where there is a cache folder.',
          cause: error,
        });
      }
      await pause(backoff * 2 ** (failures - 1), signal);
    }
  }
}

/** `fetch failed` says nothing: its cause does, or where several addresses were tried, the code of that. */
function describeCause(error: Error): string {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : 'no reason given';
  const said = error.message === '' ? code : error.message;
  return error.cause instanceof Error ? `${said}, ${describeCause(error.cause)}` : said;
}
