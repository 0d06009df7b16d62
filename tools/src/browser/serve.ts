import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { HEADLESS_FLAGS } from '../headless-flags.js';

/** Milliseconds that a page may take. */
const TIME_LIMIT = 900_000;

/** One page with everything it may ask its server for. */
export interface Visit {
  /** Path of the page's script. */
  readonly script: string;
  /** Headers of every answer. */
  readonly headers: Readonly<Record<string, string>>;
  /** By path. */
  readonly scripts: ReadonlyMap<string, string>;
  /** What `/material.json` gives. */
  readonly material: unknown;
  /** Files below `/files/`, by path. */
  readonly files: ReadonlyMap<string, string>;
  /** Of the browser, besides its usual ones. */
  readonly flags?: readonly string[];
  /** Milliseconds that the page may take. Default: 15 minutes. */
  readonly timeLimit?: number;
}

export interface Visited {
  readonly found: Readonly<Record<string, string>>;
  readonly error?: string;
  /** Paths that the page asked for. */
  readonly requested: ReadonlySet<string>;
  /** Directives of the Content-Security-Policy that the page broke. */
  readonly violations: readonly string[];
}

interface PageReport {
  readonly found?: Readonly<Record<string, string>>;
  readonly error?: string;
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function violatedDirective(body: string): string {
  const report = JSON.parse(body) as { readonly 'csp-report'?: { readonly 'effective-directive'?: string } };
  return report['csp-report']?.['effective-directive'] ?? 'unknown';
}

interface Served {
  readonly server: Server;
  readonly report: Promise<PageReport>;
  readonly requested: Set<string>;
  readonly violations: string[];
}

/** Serves a visit; resolves with what the page posts. */
function serve({ script, headers, scripts, material, files }: Visit): Served {
  const requested = new Set<string>();
  const violations: string[] = [];
  let deliver: (report: PageReport) => void = () => undefined;
  const report = new Promise<PageReport>((resolve) => {
    deliver = resolve;
  });
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(request.url ?? '/');
    requested.add(path);
    const answer = (type: string, body: string | Uint8Array): void => {
      response.writeHead(200, { 'content-type': type, ...headers });
      response.end(body);
    };
    const text = scripts.get(path);
    const file = path.startsWith('/files/') ? files.get(path.slice('/files/'.length)) : undefined;
    if (path === '/') answer('text/html', `<!doctype html><script type="module" src="${script}"></script>`);
    else if (path === '/material.json') answer('application/json', JSON.stringify(material));
    else if (text !== undefined) answer('text/javascript', text);
    else if (file !== undefined) answer('application/octet-stream', readFileSync(file));
    else if (path === '/violation') {
      violations.push(violatedDirective(await bodyOf(request)));
      answer('text/plain', 'noted');
    } else if (path === '/progress') {
      console.log(`page: ${await bodyOf(request)}`);
      answer('text/plain', 'noted');
    } else if (path === '/result') {
      const body = await bodyOf(request);
      answer('text/plain', 'thanks');
      deliver(JSON.parse(body) as PageReport);
    } else {
      response.writeHead(404, headers);
      response.end();
    }
  });
  return { server, report, requested, violations };
}

function failure(browser: ChildProcess, limit: number): Promise<PageReport> {
  return new Promise((resolve) => {
    browser.on('error', (error) => resolve({ error: `no browser: ${error.message}` }));
    browser.on('exit', (code) => resolve({ error: `the browser ended with code ${code} before the page was done` }));
    setTimeout(() => resolve({ error: `the page was not done after ${limit} ms` }), limit).unref();
  });
}

function endGroup(browser: ChildProcess): void {
  if (browser.pid === undefined || browser.exitCode !== null) return;
  try {
    process.kill(-browser.pid, 'SIGKILL');
  } catch {
    browser.kill('SIGKILL');
  }
}

/** Opens the page in headless Chromium, with a profile of its own; CHROMIUM names another program. */
export async function visitPage(visit: Visit): Promise<Visited> {
  const { server, report, requested, violations } = serve(visit);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const profile = mkdtempSync(join(tmpdir(), 'ivit-chromium-'));
  const program = process.env['CHROMIUM'] ?? 'chromium';
  const browser = spawn(
    program,
    [...HEADLESS_FLAGS, ...(visit.flags ?? []), `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`],
    {
      stdio: 'ignore',
      // A group of its own: its many processes end together.
      detached: true,
    },
  );
  const ended = new Promise<void>((resolve) => {
    browser.on('exit', () => resolve());
    browser.on('error', () => resolve());
  });
  try {
    const { found = {}, error } = await Promise.race([report, failure(browser, visit.timeLimit ?? TIME_LIMIT)]);
    return { found, requested, violations, ...(error === undefined ? {} : { error }) };
  } finally {
    endGroup(browser);
    await ended;
    server.closeAllConnections();
    server.close();
    try {
      rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    } catch (error) {
      // A last process may still write there; what the page found is no less true.
      console.log(`the profile is left behind: ${String(error)}`);
    }
  }
}
