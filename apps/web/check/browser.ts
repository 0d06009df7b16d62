import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PROGRAM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** Nothing of the browser's own that asks the network. */
const FLAGS = [
  '--no-sandbox',
  '--disable-quic',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
];
/** Without the first there is no adapter on a machine without a GPU. */
const SOFTWARE_WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];

/** @throws RangeError without a browser: nothing can be checked then */
export async function launchBrowser(webgpu: boolean): Promise<Browser> {
  if (!existsSync(PROGRAM)) throw new RangeError(`There is no ${PROGRAM}; CHROMIUM names another one.`);
  return chromium.launch({ executablePath: PROGRAM, args: [...FLAGS, ...(webgpu ? SOFTWARE_WEBGPU : [])] });
}
