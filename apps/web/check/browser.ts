import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PROGRAM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** WebGPU on its software adapter; nothing of the browser's own that asks the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-gpu',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--disable-background-networking',
  '--disable-component-update',
];

/** @throws RangeError without a browser: nothing can be checked then */
export async function launchBrowser(): Promise<Browser> {
  if (!existsSync(PROGRAM)) throw new RangeError(`There is no ${PROGRAM}; CHROMIUM names another one.`);
  return chromium.launch({ executablePath: PROGRAM, args: FLAGS });
}
