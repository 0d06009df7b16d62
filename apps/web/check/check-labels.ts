import type { Page } from 'playwright-core';
import type { Material } from './material.js';
import type { OpenPage } from './open-page.js';
import { answersOf, dropFile, receiptOf, rowsOf, textOf, veiledPixels, waitForAnswers } from './page-actions.js';
import type { Report } from './report.js';

const LEFT_OUT = /^Left out: WebGPU is done in software here \(.+\), which is slow\. Tick it to run it\.$/;

/** What each backend's row says: its kind of state and its text. */
async function statesOf(page: Page): Promise<(readonly [kind: string, text: string])[]> {
  const states = await page.locator('.backends .state').all();
  return Promise.all(
    states.map(async (state) => [
      (await state.getAttribute('class'))?.replace(/^state ?/, '') ?? '',
      (await state.textContent()) ?? '',
    ]),
  );
}

/** CPU and reference agree; a WebGPU in software is left out, and said to be. */
async function checkAgreement(page: Page, report: Report): Promise<void> {
  const [cpu, webgpu, reference] = await statesOf(page);
  report.equal('CPU and reference', [cpu?.[0], reference?.[0]], ['equal', 'equal']);
  report.check('WebGPU in software is left out', LEFT_OUT.test(webgpu?.[1] ?? ''), webgpu);
  report.equal('the verdict', await textOf(page, 'verdict'), 'CPU and Reference: one receipt, bit for bit.');
}

/** The model and photo that are there, on all three backends; then another photo, dropped. */
export async function checkWebgpu({ page }: OpenPage, material: Material, report: Report): Promise<void> {
  const all = ['equal', 'equal', 'equal'];
  const verdict = 'CPU, WebGPU, and Reference: one receipt, bit for bit.';
  const wait = (): Promise<unknown> =>
    page.waitForFunction((wanted) => document.getElementById('verdict')?.textContent === wanted, verdict);
  await page.locator('#backend-webgpu').check();
  await wait();
  const kinds = async (): Promise<string[]> => (await statesOf(page)).map(([kind]) => kind);
  report.equal('all backends gave one receipt', await kinds(), all);
  await dropFile(page, '#frame', material.photo('kingfisher.jpg'), 'image/jpeg');
  await waitForAnswers(page, 'kingfisher.jpg');
  report.equal('of a dropped photo too', await kinds(), all);
  report.equal('the verdict on all', await textOf(page, 'verdict'), verdict);
}

/** A browser that has no adapter says so, with its code. */
export async function checkNoWebgpu({ page }: OpenPage, report: Report): Promise<void> {
  await waitForAnswers(page, 'kingfisher.jpg');
  const [, webgpu] = await statesOf(page);
  report.check('no WebGPU, and why', /^Not available here: E_NO_(ADAPTER|WEBGPU)\. ./.test(webgpu?.[1] ?? ''), webgpu);
}

/** A photo shown, labeled on every backend as in Node, dropped, and looked at. */
export async function checkLabels(
  open: OpenPage,
  material: Material,
  report: Report,
  isolated: boolean,
): Promise<void> {
  const { page } = open;
  for (const [name, expected] of material.expected) {
    if (name !== 'kingfisher.jpg') await dropFile(page, '#frame', material.photo(name), 'image/png');
    await waitForAnswers(page, name);
    report.equal(`answers for ${name} as in Node`, await answersOf(page), rowsOf(expected));
    report.equal(`receipt of ${name} as in Node`, await receiptOf(page), expected.receipt);
    report.equal('the photo has its name', await textOf(page, 'photo-name'), name);
    await checkAgreement(page, report);
  }
  const how = (await page.locator('.backends .how').first().textContent()) ?? '';
  report.check('threads only where the page is isolated', /one thread$/.test(how) !== isolated, how);
  report.equal('isolation', await page.evaluate(() => crossOriginIsolated), isolated);
  report.check('the note says what is seen', /Rollout.*4 layers/.test(await textOf(page, 'attention-note')));
  report.check('the attention is drawn', (await veiledPixels(page)) > 100_000);
  await page.locator('#attention-opacity').fill('20');
  report.equal('its strength follows', await page.locator('#heat').evaluate(({ style }) => style.opacity), '0.2');
  report.equal('and is said', await textOf(page, 'attention-percent'), '20 %');
  await page.locator('#attention-on').uncheck();
  await waitForAnswers(page, 'coffee.png');
  report.check('it can be put away', await page.locator('#heat').isHidden());
  await page.locator('#attention-on').check();
  await waitForAnswers(page, 'coffee.png');
}

/** What is no photo and what is no model: codes, and the page goes on. */
export async function checkErrors({ page }: OpenPage, material: Material, report: Report): Promise<void> {
  const notice = page.locator('#notice code');
  await page.locator('#photo-file').setInputFiles(`${material.folder}/broken.png`);
  await notice.waitFor();
  report.equal('a broken photo', await notice.textContent(), 'E_IMAGE_FORMAT');
  report.check('is named', (await textOf(page, 'notice')).includes('broken.png'), await textOf(page, 'notice'));
  await page.keyboard.press('Escape');
  report.equal('Escape dismisses it', await notice.count(), 0);
  await page.locator('[data-photo="coffee.png"]').click();
  await waitForAnswers(page, 'coffee.png');
  const weights = material.weights.find((path) => path.endsWith('.safetensors')) ?? '';
  await page.locator('#model-file').setInputFiles(weights);
  await notice.waitFor();
  report.equal('float weights as a model', await notice.textContent(), 'E_NEEDS_QUANTIZING');
  await waitForAnswers(page, 'coffee.png');
  report.equal('the model before is back', await page.locator('#model').inputValue(), '0');
  await page.getByRole('button', { name: 'Dismiss' }).click();
}
