import { readFile } from 'node:fs/promises';
import type { Material } from './material.js';
import type { OpenPage } from './open-page.js';
import { answersOf, receiptOf, rowsOf, textOf, waitForAnswers } from './page-actions.js';
import type { Report } from './report.js';

/** A float model becomes the file that Node makes of it, after a run that was stopped; then it is the model. */
export async function checkQuantize({ page }: OpenPage, material: Material, report: Report): Promise<void> {
  await page.locator('#weights').setInputFiles([...material.weights]);
  await page.locator('#calibration').setInputFiles([...material.manyPhotos]);
  await page.locator('#quantize-start').click();
  await page.waitForFunction(
    () => Number(Reflect.get(document.getElementById('quantize-progress') ?? {}, 'value')) > 0,
  );
  // The page answers while the worker is busy.
  const pause = await page.evaluate(async () => {
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, 0));
    return performance.now() - began;
  });
  report.check('the page is free meanwhile', pause < 500, pause);
  await page.locator('#quantize-stop').click();
  await page.waitForFunction(() => document.getElementById('quantize-status')?.textContent?.startsWith('Stopped'));
  report.check('nothing is offered after a stop', await page.locator('#download').isDisabled());
  report.check('it can start again', await page.locator('#quantize-start').isEnabled());

  await page.locator('#calibration').setInputFiles([...material.calibration]);
  await page.locator('#quantize-start').click();
  await page.waitForFunction(() => document.getElementById('quantize-status')?.textContent?.startsWith('Done'));
  const saving = page.waitForEvent('download');
  await page.locator('#download').click();
  const download = await saving;
  report.equal('its name', download.suggestedFilename(), 'model.accurate-1.ivit.safetensors');
  const file = new Uint8Array(await readFile(await download.path()));
  report.check(
    'the file is the one that Node makes',
    Buffer.compare(file, material.quantized) === 0,
    `${file.length} bytes`,
  );
  await page.locator('#use').click();
  await waitForAnswers(page, 'coffee.png');
  report.equal('its answers as in Node', await answersOf(page), rowsOf(material.quantizedExpected));
  report.equal('its receipt as in Node', await receiptOf(page), material.quantizedExpected.receipt);
  report.check('its backends agree', /one receipt/.test(await textOf(page, 'verdict')), await textOf(page, 'verdict'));
}
