/**
 * `pnpm web:check`: builds the page and uses it in headless Chromium as a person would, with WebGPU on its software adapter.
 *
 * - cross-origin isolated: labels and receipts as in Node, a dropped photo, attention, quantizing in the tab to the bytes that
 *   Node makes, once stopped before; the result on CPU, WebGPU and reference
 * - under a policy of `script-src 'self' 'wasm-unsafe-eval'` and nothing else, not isolated: the same without WebGPU, errors
 * - without any header, in a browser without WebGPU: the keyboard; light, dark, narrow: axe, and that nothing moves
 *
 * Needs built packages (`pnpm build`). The last line is `N passed, N failed`. CHROMIUM names another browser.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { launchBrowser } from './browser.js';
import { checkAxe, checkKeyboard, checkNarrow } from './check-access.js';
import { checkErrors, checkLabels, checkNoWebgpu, checkWebgpu } from './check-labels.js';
import { checkQuantize } from './check-quantize.js';
import { makeMaterial } from './material.js';
import { type OpenPage, openPage, type PageOptions } from './open-page.js';
import { createReport } from './report.js';
import { serveFolder } from './serve.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ISOLATED = { 'cross-origin-opener-policy': 'same-origin', 'cross-origin-embedder-policy': 'require-corp' };
/** What the page needs, and nothing else: no inline script or style, no blob:, no data:, no eval. */
const STRICT = {
  'content-security-policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'",
};

const report = createReport((line) => console.log(line));
const began = performance.now();
await build({ root: ROOT, logLevel: 'error' });
console.log(`built in ${((performance.now() - began) / 1000).toFixed(1)} s`);
const material = await makeMaterial();
const browser = await launchBrowser(true);
const plainBrowser = await launchBrowser(false);

/** Opens the page, lets the body use it, and looks whether anything went wrong on the way. */
async function visit(
  name: string,
  headers: Readonly<Record<string, string>>,
  options: PageOptions & { readonly webgpu?: boolean },
  body: (open: OpenPage) => Promise<void>,
): Promise<void> {
  await report.part(name, async () => {
    const site = await serveFolder(fileURLToPath(new URL('../dist', import.meta.url)), headers);
    const open = await openPage(options.webgpu === false ? plainBrowser : browser, site.address, options);
    try {
      await body(open);
      report.equal('errors and failed requests', open.troubles, []);
      report.equal('layout shift', await open.shift(), 0);
    } finally {
      await open.close();
      await site.close();
    }
  });
}

try {
  await visit('isolated', ISOLATED, {}, async (open) => {
    await checkLabels(open, material, report, true);
    await checkQuantize(open, material, report);
    await checkWebgpu(open, material, report);
  });
  await visit('strict policy', STRICT, {}, async (open) => {
    await checkLabels(open, material, report, false);
    await checkErrors(open, material, report);
    await checkQuantize(open, material, report);
  });
  await visit('no headers, no WebGPU, keyboard', {}, { webgpu: false }, async (open) => {
    await checkNoWebgpu(open, report);
    await checkKeyboard(open, report);
  });
  await visit('light', STRICT, {}, (open) => checkAxe(open, material, report));
  await visit('dark', STRICT, { dark: true }, (open) => checkAxe(open, material, report));
  await visit('narrow', STRICT, { width: 320, height: 800 }, (open) => checkNarrow(open, report));
} finally {
  await Promise.all([browser.close(), plainBrowser.close()]);
  await material.remove();
}
console.log(`in ${((performance.now() - began) / 1000).toFixed(0)} s`);
// What the bundler leaves open must not keep the process.
process.exit(report.end());
