import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';

/** A page with an ear on everything that should not happen. */
export interface OpenPage {
  readonly page: Page;
  /** Errors in the console, uncaught errors, requests that failed or were answered with an error. */
  readonly troubles: readonly string[];
  /** Sum of all layout shifts so far, those after an input included. */
  shift(): Promise<number>;
  /** Serious and critical findings of axe, one line each. */
  axe(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface PageOptions {
  readonly width?: number;
  readonly height?: number;
  readonly dark?: boolean;
}

/** Runs in the page before its own scripts. */
function watchShifts(): void {
  const total = { shift: 0, sources: [] as string[] };
  Reflect.set(globalThis, 'shifts', total);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      total.shift += Number(Reflect.get(entry, 'value'));
      for (const { node } of Reflect.get(entry, 'sources') as { node?: Node }[]) {
        total.sources.push(
          node instanceof Element ? `${node.tagName}#${node.id}.${node.className}` : String(node?.nodeName),
        );
      }
    }
  }).observe({ type: 'layout-shift', buffered: true });
}

export async function openPage(browser: Browser, address: string, options: PageOptions = {}): Promise<OpenPage> {
  const context = await browser.newContext({
    viewport: { width: options.width ?? 1180, height: options.height ?? 900 },
    colorScheme: options.dark === true ? 'dark' : 'light',
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  page.setDefaultTimeout(90_000);
  const troubles: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error') troubles.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => troubles.push(`uncaught: ${error.message}`));
  page.on('requestfailed', (request) => troubles.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on('response', (response) => {
    if (response.status() >= 400) troubles.push(`${response.status()}: ${response.url()}`);
  });
  await page.addInitScript(watchShifts);
  await page.goto(address);
  return {
    page,
    troubles,
    async shift() {
      const shifts = (await page.evaluate('shifts')) as { shift: number; sources: string[] };
      if (shifts.shift > 0) console.log(`layout shifts: ${[...new Set(shifts.sources)].join(', ')}`);
      return shifts.shift;
    },
    async axe() {
      await page.evaluate(axe.source);
      const report = (await page.evaluate('axe.run(document)')) as axe.AxeResults;
      return report.violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
    },
    close: () => context.close(),
  };
}
