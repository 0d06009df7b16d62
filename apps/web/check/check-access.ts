import type { Page } from 'playwright-core';
import type { Material } from './material.js';
import type { OpenPage } from './open-page.js';
import { textOf, waitForAnswers } from './page-actions.js';
import type { Report } from './report.js';

/** Everything that a keyboard reaches, in order; the thumbs by their photos. */
const ORDER = [
  'skip',
  'kingfisher.jpg',
  'cat.jpg',
  'coffee.png',
  'rocket.jpg',
  'photo-file',
  'attention-on',
  'attention-opacity',
  'model',
  'model-file',
  'backend-cpu',
  'backend-webgpu',
  'backend-reference',
  'copy',
  'weights',
  'calibration',
  'recipe',
  'quantize-start',
];

interface Focus {
  readonly name: string;
  readonly visible: boolean;
}

function focused(page: Page): Promise<Focus> {
  return page.evaluate(() => {
    const active = document.activeElement;
    if (!(active instanceof HTMLElement)) return { name: 'nothing', visible: false };
    // A hidden file input shows its focus on the label in front of it.
    const shown = active.classList.contains('hidden-input') ? active.previousElementSibling : active;
    const { outlineStyle, outlineWidth } = getComputedStyle(shown ?? active);
    return {
      name: active.id || active.dataset['photo'] || active.className,
      visible: outlineStyle !== 'none' && Number.parseFloat(outlineWidth) >= 2,
    };
  });
}

/** The whole page without a pointer. */
export async function checkKeyboard({ page }: OpenPage, report: Report): Promise<void> {
  await waitForAnswers(page, 'kingfisher.jpg');
  await page.evaluate(() => document.body.focus());
  const order: string[] = [];
  const unseen: string[] = [];
  for (const _ of ORDER) {
    await page.keyboard.press('Tab');
    const { name, visible } = await focused(page);
    order.push(name);
    if (!visible) unseen.push(name);
  }
  report.equal('order of focus', order, ORDER);
  report.equal('focus that is not seen', unseen, []);
  // An empty form says what is missing; Escape puts that away.
  await page.keyboard.press('Enter');
  await page.locator('#notice code').waitFor();
  report.equal('a form without files', await page.locator('#notice code').textContent(), 'E_MODEL_FILE');
  await page.keyboard.press('Escape');
  report.equal('Escape dismisses it', await page.locator('#notice code').count(), 0);
  await page.locator('[data-photo="coffee.png"]').focus();
  await page.keyboard.press('Space');
  await waitForAnswers(page, 'coffee.png');
  await page.locator('#attention-opacity').focus();
  await page.keyboard.press('ArrowLeft');
  report.equal('arrows move the slider', await textOf(page, 'attention-percent'), '69 %');
  await page.locator('#backend-reference').focus();
  await page.keyboard.press('Space');
  await page.waitForFunction(() => /^CPU alone ran/.test(document.getElementById('verdict')?.textContent ?? ''));
  report.check('space leaves a backend out', true);
  const chooser = page.waitForEvent('filechooser');
  await page.locator('#photo-file').focus();
  await page.keyboard.press('Enter');
  report.check('enter opens the choice of a photo', (await chooser) !== undefined);
}

/** axe on the page as it is, with a notice, and narrow; in the colors that the page was opened with. */
export async function checkAxe(open: OpenPage, material: Material, report: Report): Promise<void> {
  const { page } = open;
  await waitForAnswers(page, 'kingfisher.jpg');
  report.equal('axe, with answers', await open.axe(), []);
  await page.locator('#photo-file').setInputFiles(`${material.folder}/broken.png`);
  await page.locator('#notice code').waitFor();
  report.equal('axe, with an error', await open.axe(), []);
  await page.keyboard.press('Escape');
}

/** Nothing is wider than a narrow screen. */
export async function checkNarrow(open: OpenPage, report: Report): Promise<void> {
  const { page } = open;
  await waitForAnswers(page, 'kingfisher.jpg');
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  report.check('nothing is wider than 320 pixels', wide <= 0, wide);
  report.equal('axe, narrow', await open.axe(), []);
}
