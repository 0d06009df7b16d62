import { IvitError } from '@ivit/program';
import type { OnProgress } from '../progress.js';
import { failStatus, fetchOf, type HttpOptions, TransientError, withRetries } from './http.js';
import type { Sink } from './sink.js';
import { chunksOf } from './stream.js';

export { memorySink } from './sink.js';

export interface DownloadOptions extends HttpOptions {
  /** Name of the file in progress reports. */
  readonly file: string;
  /** Size that the server promised. */
  readonly size?: number;
  readonly onProgress?: OnProgress;
}

/** First byte of a `content-range: bytes 100-199/200` header. */
function rangeStart(header: string | null): number | undefined {
  const match = /^bytes (\d+)-/.exec(header ?? '');
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** Size that a response promises for the whole file, if it does. */
function promisedSize(response: Response, from: number): number | undefined {
  // With a content encoding the length counts other bytes than the body's.
  if ((response.headers.get('content-encoding') ?? 'identity') !== 'identity') return undefined;
  const length = response.headers.get('content-length');
  return length === null ? undefined : from + Number(length);
}

/**
 * Fetches `url` onto what the sink holds already: the rest by a `Range` request, everything where the server knows no
 * ranges. A cut connection is taken up again where it broke.
 *
 * @throws E_NETWORK, E_NOT_FOUND, E_ACCESS, E_ABORTED, E_HASH (more bytes than promised), and what the sink throws
 */
export async function download(url: string, sink: Sink, options: DownloadOptions): Promise<void> {
  const { file, onProgress } = options;
  let total = options.size;
  const report = (): void => onProgress?.({ phase: 'download', file, loaded: sink.length, total });

  async function once(signal: AbortSignal): Promise<void> {
    if (total !== undefined && sink.length > total) await sink.reset();
    if (total !== undefined && sink.length === total) return;
    const from = sink.length;
    const response = await fetchOf(options)(url, {
      headers: { 'accept-encoding': 'identity', ...(from > 0 ? { range: `bytes=${from}-` } : {}) },
      signal,
    });
    if (from > 0) {
      const resumed = response.status === 206 && rangeStart(response.headers.get('content-range')) === from;
      if (!resumed && (response.status === 206 || response.status === 416)) {
        await response.body?.cancel();
        await sink.reset();
        throw new TransientError(`a range that does not fit (HTTP ${response.status})`);
      }
      if (response.status === 200) await sink.reset();
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      failStatus(response, url);
    }
    total ??= promisedSize(response, sink.length);
    report();
    for await (const chunk of chunksOf(response.body)) {
      if (total !== undefined && sink.length + chunk.length > total) {
        await sink.reset();
        throw new IvitError('E_HASH', `The server sent more than the ${total} bytes it promised`, { where: url });
      }
      await sink.append(chunk);
      report();
    }
    if (total !== undefined && sink.length < total) throw new TransientError('the connection was cut');
  }

  report();
  await withRetries(once, () => sink.length, url, options);
}
