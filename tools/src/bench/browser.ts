import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { IvitError } from '@ivit/program';
import { HEADLESS_FLAGS } from '../headless-flags.js';
import type { VariantTask } from './measure.js';

const TIME_LIMIT = 900_000;
const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

interface PageReport<R> {
  readonly result?: R;
  readonly error?: string;
}

/** What a page needs beside its task. */
export interface PageSurroundings {
  /** Folder of the page's scripts; `page.js` is the first. */
  readonly scripts: string;
  /** Folder of the peer's files, and the module among them that the task names `ortWeb`. */
  readonly ort: string;
  readonly ortModule: string;
  /** Flags of the browser beside the usual. */
  readonly flags?: readonly string[];
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** The part of a task that the server puts addresses into. */
interface PageTask {
  readonly ortWeb: string;
  readonly variants: readonly VariantTask[];
}

/** Serves the page, its scripts, the peer's files and the models; resolves with what the page posts. */
function serve<R>(task: PageTask, surroundings: PageSurroundings): { server: Server; report: Promise<PageReport<R>> } {
  const { scripts, ort, ortModule } = surroundings;
  let deliver: (report: PageReport<R>) => void = () => undefined;
  const report = new Promise<PageReport<R>>((resolve) => {
    deliver = resolve;
  });
  const files = task.variants.map(({ file }) => file);
  const forPage: PageTask = {
    ...task,
    ortWeb: `/ort/${ortModule}`,
    variants: task.variants.map((variant, index) => ({ ...variant, file: `/files/${index}` })),
  };
  const server = createServer(async (request, response) => {
    const [asked = '/'] = (request.url ?? '/').split('?');
    const path = normalize(decodeURIComponent(asked));
    const answer = (type: string, body: string | Uint8Array): void => {
      response.writeHead(200, {
        'content-type': type,
        // Both together give the page SharedArrayBuffer, without which there are no threads.
        'cross-origin-opener-policy': 'same-origin',
        'cross-origin-embedder-policy': 'require-corp',
      });
      response.end(body);
    };
    const file = files[Number(path.slice('/files/'.length))];
    try {
      if (path === '/') answer('text/html', '<!doctype html><script type="module" src="/scripts/page.js"></script>');
      else if (path === '/task.json') answer('application/json', JSON.stringify(forPage));
      else if (path === '/result') {
        const posted = JSON.parse(await bodyOf(request)) as PageReport<R>;
        const engine = /Chrom\w+\/[\d.]+/.exec(request.headers['user-agent'] ?? '')?.[0] ?? 'a browser';
        answer('text/plain', 'thanks');
        deliver(posted.result === undefined ? posted : { result: { ...posted.result, engine } });
      } else if (path.startsWith('/files/') && file !== undefined) {
        answer('application/octet-stream', readFileSync(file));
      } else {
        const [, room, name = ''] = /^\/(scripts|ort)\/([\w.-]+)$/.exec(path) ?? [];
        const bytes = room === undefined ? undefined : readFileSync(join(room === 'ort' ? ort : scripts, name));
        if (bytes === undefined) throw new IvitError('E_BENCH', 'Nothing is served there', { where: path });
        answer(TYPES[extname(name)] ?? 'application/octet-stream', bytes);
      }
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  return { server, report };
}

function failure(browser: ChildProcess): Promise<PageReport<never>> {
  return new Promise((resolve) => {
    browser.on('error', (error) => resolve({ error: `no browser: ${error.message}` }));
    browser.on('exit', (code) => resolve({ error: `the browser ended with code ${code} before the page was done` }));
    setTimeout(() => resolve({ error: `the page was not done after ${TIME_LIMIT} ms` }), TIME_LIMIT).unref();
  });
}

/**
 * Performs a task in headless Chromium; CHROMIUM names another program.
 * @throws IvitError E_BROWSER
 */
export async function performInBrowser<R>(task: PageTask, surroundings: PageSurroundings): Promise<R> {
  const { server, report } = serve<R>(task, surroundings);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const profile = mkdtempSync(join(tmpdir(), 'ivit-chromium-'));
  const program = process.env['CHROMIUM'] ?? 'chromium';
  const browser = spawn(
    program,
    [...HEADLESS_FLAGS, ...(surroundings.flags ?? []), `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`],
    {
      stdio: 'ignore',
    },
  );
  const ended = new Promise<void>((resolve) => {
    browser.on('exit', () => resolve());
    browser.on('error', () => resolve());
  });
  try {
    const { result, error = 'the page posted nothing' } = await Promise.race([report, failure(browser)]);
    if (result === undefined) throw new IvitError('E_BROWSER', error, { where: program });
    return result;
  } finally {
    browser.kill('SIGKILL');
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}
