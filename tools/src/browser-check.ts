/**
 * `pnpm browser`: decodes every image fixture, labels the bundled photos and quantizes a small model in headless
 * Chromium, under a Content-Security-Policy that allows the page's own scripts alone, and compares each result with
 * Node's. Prints `N checked, N different`; exit code 1 on a difference or without a browser. CHROMIUM names the program.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { allChecks, type Material } from './browser/checks.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const TIME_LIMIT = 240_000;
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

function material(): Material {
  const list = (folder: string): string[] =>
    readdirSync(join(ROOT, folder))
      .filter((name) => /\.(jpg|png)$/.test(name))
      .sort()
      .map((name) => `${folder}/${name}`);
  return {
    images: list('packages/image/test/fixtures'),
    photos: list('packages/ivit/photos'),
    model: 'packages/model-cifar10/model.safetensors',
  };
}

async function bundle(): Promise<ReadonlyMap<string, string>> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('./browser/page.ts', import.meta.url))],
    bundle: true,
    write: false,
    splitting: true,
    outdir: '/scripts',
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['@ivit/source'],
  });
  return new Map(outputFiles.map((file) => [file.path.slice(file.path.indexOf('/scripts')), file.text]));
}

interface PageReport {
  readonly found?: Readonly<Record<string, string>>;
  readonly error?: string;
}

/** Serves the page, its scripts and the files of the material; resolves with what the page posts. */
function serve(scripts: ReadonlyMap<string, string>, files: Material): { server: Server; report: Promise<PageReport> } {
  const known = new Set([...files.images, ...files.photos, files.model]);
  let deliver: (report: PageReport) => void = () => undefined;
  const report = new Promise<PageReport>((resolve) => {
    deliver = resolve;
  });
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '/');
    const answer = (type: string, body: string | Uint8Array): void => {
      response.writeHead(200, {
        'content-type': type,
        'content-security-policy': "default-src 'none'; script-src 'self'; connect-src 'self'",
      });
      response.end(body);
    };
    const script = scripts.get(path);
    if (path === '/') answer('text/html', '<!doctype html><script type="module" src="/scripts/page.js"></script>');
    else if (path === '/material.json') answer('application/json', JSON.stringify(files));
    else if (script !== undefined) answer('text/javascript', script);
    else if (path.startsWith('/files/') && known.has(path.slice(7))) {
      answer('application/octet-stream', readFileSync(join(ROOT, path.slice(7))));
    } else if (path === '/result') {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        answer('text/plain', 'thanks');
        deliver(JSON.parse(Buffer.concat(chunks).toString('utf8')) as PageReport);
      });
    } else {
      response.writeHead(404);
      response.end();
    }
  });
  return { server, report };
}

function failure(browser: ChildProcess): Promise<PageReport> {
  return new Promise((resolve) => {
    browser.on('error', (error) => resolve({ error: `no browser: ${error.message}` }));
    browser.on('exit', (code) => resolve({ error: `the browser ended with code ${code} before the page was done` }));
    setTimeout(() => resolve({ error: `the page was not done after ${TIME_LIMIT} ms` }), TIME_LIMIT).unref();
  });
}

async function inBrowser(files: Material): Promise<PageReport> {
  const { server, report } = serve(await bundle(), files);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const profile = mkdtempSync(join(tmpdir(), 'ivit-chromium-'));
  const program = process.env['CHROMIUM'] ?? 'chromium';
  const browser = spawn(program, [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${port}/`], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => {
    browser.on('exit', () => resolve());
    browser.on('error', () => resolve());
  });
  try {
    return await Promise.race([report, failure(browser)]);
  } finally {
    browser.kill('SIGKILL');
    await ended;
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  }
}

const files = material();
const expected = await allChecks(files, async (path) => new Uint8Array(readFileSync(join(ROOT, path))));
const { found = {}, error } = await inBrowser(files);
if (error !== undefined) console.log(`FAILED in the browser: ${error}`);
const names = Object.keys(expected);
const different = names.filter((name) => found[name] !== expected[name]);
for (const name of different.slice(0, 20)) {
  console.log(`DIFFERENT ${name}: ${found[name] ?? 'nothing'} instead of ${expected[name]}`);
}
console.log(`${names.length} checked, ${different.length} different`);
process.exitCode = different.length === 0 ? 0 : 1;
