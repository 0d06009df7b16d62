import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** What the servers do wrong, and for how many answers. Each entry is used up one by one. */
export interface Faults {
  /** Bytes after which an answer is cut; waits for an answer that is longer. */
  readonly cuts: number[];
  /** Statuses to answer with instead. */
  readonly statuses: number[];
  /** The store knows no ranges. */
  noRanges: boolean;
  /** The store sends these bytes instead of the file. */
  instead: Uint8Array | undefined;
  /** The store answers with this many bytes and then says nothing more, connection open. */
  stallAfter: number | undefined;
  /** The store sends neither a length nor ranges. */
  chunked: boolean;
}

export interface HubServer {
  readonly endpoint: string;
  readonly faults: Faults;
  /** `METHOD path range` of every request, in order; paths of the store begin with `/store/`. */
  readonly requests: string[];
  close(): Promise<void>;
}

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** Files of a repository by name, and its former name if it was renamed. */
export interface Repository {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly formerly?: string;
}

function listen(server: Server): Promise<string> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      resolve(`http://127.0.0.1:${address.port}`);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Large files are safetensors, as the hub's default `.gitattributes` has it. */
const isLarge = (file: string): boolean => file.endsWith('.safetensors');

/**
 * A hub on this machine: `/{owner}/{name}/resolve/{revision}/{file}`. Large files redirect to a store of another
 * origin and carry `x-linked-etag` and `x-linked-size`; small ones are served in place with their git sha1 as `etag`.
 */
export async function startHub(repositories: Readonly<Record<string, Repository>>): Promise<HubServer> {
  const faults: Faults = {
    cuts: [],
    statuses: [],
    noRanges: false,
    instead: undefined,
    stallAfter: undefined,
    chunked: false,
  };
  const requests: string[] = [];
  const blobs = new Map<string, Uint8Array>();
  for (const { files } of Object.values(repositories)) {
    for (const bytes of files.values()) blobs.set(sha256(bytes), bytes);
  }

  function note(request: IncomingMessage): void {
    requests.push([request.method, request.url, request.headers.range].filter((part) => part !== undefined).join(' '));
  }

  /**
   * Resets the connection after so many turns of the event loop, 20 ms each: the client shares the loop, and on a busy
   * machine one long timer would fire before it has read what was sent.
   */
  function cutAfter(request: IncomingMessage, turns: number): void {
    if (turns === 0) request.socket.destroy();
    else setTimeout(() => cutAfter(request, turns - 1), 20);
  }

  function send(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
    const match = faults.noRanges || faults.chunked ? null : /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
    const from = match?.[1] === undefined ? 0 : Number(match[1]);
    const to =
      match?.[2] === undefined || match[2] === '' ? bytes.length : Math.min(bytes.length, Number(match[2]) + 1);
    if (from >= bytes.length && match !== null) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const body = bytes.subarray(from, to);
    if (match !== null) response.setHeader('content-range', `bytes ${from}-${to - 1}/${bytes.length}`);
    if (!faults.chunked) response.setHeader('content-length', body.length);
    response.writeHead(match === null ? 200 : 206);
    const next = faults.cuts[0];
    const cut = next !== undefined && next < body.length ? faults.cuts.shift() : faults.stallAfter;
    if (cut === undefined || cut >= body.length) {
      response.end(body);
      return;
    }
    response.write(body.subarray(0, cut), () => {
      if (faults.stallAfter === undefined) cutAfter(request, 10);
    });
  }

  const store = createServer((request, response) => {
    note(request);
    const status = faults.statuses.shift();
    if (status !== undefined) {
      response.writeHead(status).end();
      return;
    }
    const bytes = blobs.get(request.url?.replace('/store/', '') ?? '');
    if (bytes === undefined) response.writeHead(404).end();
    else send(request, response, faults.instead ?? bytes);
  });
  const storeUrl = await listen(store);

  const hub = createServer((request, response) => {
    note(request);
    const match = /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(request.url ?? '');
    const [, name = '', revision = '', file = ''] = match ?? [];
    const renamed = Object.entries(repositories).find(([, { formerly }]) => formerly === name)?.[0];
    if (renamed !== undefined) {
      response.writeHead(307, { location: `/${renamed}/resolve/${revision}/${file}` }).end();
      return;
    }
    const repository = repositories[name];
    const bytes = repository?.files.get(decodeURIComponent(file));
    const missing =
      repository === undefined
        ? 'RepoNotFound'
        : !['main', 'v1', COMMIT].includes(revision)
          ? 'RevisionNotFound'
          : 'EntryNotFound';
    if (repository === undefined || missing === 'RevisionNotFound' || bytes === undefined) {
      response.writeHead(404, { 'x-error-code': missing }).end('not here');
      return;
    }
    response.setHeader('x-repo-commit', COMMIT);
    if (isLarge(file)) {
      response.writeHead(302, {
        location: `${storeUrl}/store/${sha256(bytes)}`,
        'x-linked-etag': `"${sha256(bytes)}"`,
        'x-linked-size': String(bytes.length),
      });
      response.end();
      return;
    }
    const git = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    response.setHeader('etag', `"${git}"`);
    if (request.method === 'HEAD') response.writeHead(200, { 'content-length': bytes.length }).end();
    else send(request, response, faults.instead ?? bytes);
  });
  const endpoint = await listen(hub);

  return {
    endpoint,
    faults,
    requests,
    async close() {
      await close(hub);
      await close(store);
    },
  };
}
