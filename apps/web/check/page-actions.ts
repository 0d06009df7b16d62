/** What a person does with the page and sees on it. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Locator, Page } from 'playwright-core';
import type { Expected } from './material.js';

async function read(place: Locator): Promise<string> {
  return (await place.textContent()) ?? '';
}

export function textOf(page: Page, id: string): Promise<string> {
  return read(page.locator(`#${id}`));
}

/** Waits until the page is done with a photo; `labeled` is part of what its status then says. */
export async function waitForAnswers(page: Page, name: string): Promise<void> {
  await page.waitForFunction(
    (wanted) => document.getElementById('status')?.textContent?.startsWith(`${wanted}: done`) === true,
    name,
  );
}

export async function answersOf(page: Page): Promise<(readonly [string, string])[]> {
  const rows = await page.locator('#answers li').all();
  return Promise.all(
    rows.map(async (row) => [await read(row.locator('.label')), await read(row.locator('.score'))] as const),
  );
}

export async function receiptOf(page: Page): Promise<Expected['receipt']> {
  const rows = await page.locator('#receipt div').all();
  return Object.fromEntries(
    await Promise.all(rows.map(async (row) => [await read(row.locator('dt')), await read(row.locator('dd'))])),
  );
}

/** Five rows, as the page writes what Node found; rows that are left over say so. */
export function rowsOf({ answers }: Expected): (readonly [string, string])[] {
  return Array.from({ length: 5 }, (_, index) => answers[index] ?? (['–', '–'] as const));
}

/** Drops a file on an element, as a pointer would. */
export async function dropFile(page: Page, selector: string, path: string, type: string): Promise<void> {
  const data = (await readFile(path)).toString('base64');
  const transfer = await page.evaluateHandle(
    ({ bytes, name, kind }) => {
      const transferred = new DataTransfer();
      const content = Uint8Array.from(atob(bytes), (letter) => letter.charCodeAt(0));
      transferred.items.add(new File([content], name, { type: kind }));
      return transferred;
    },
    { bytes: data, name: basename(path), kind: type },
  );
  await page.dispatchEvent(selector, 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent(selector, 'drop', { dataTransfer: transfer });
}

/** Pixels of the attention's veil that are not clear. */
export function veiledPixels(page: Page): Promise<number> {
  return page.evaluate(() => {
    const canvas = document.getElementById('heat');
    if (!(canvas instanceof HTMLCanvasElement)) return -1;
    const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
    let veiled = 0;
    for (let at = 3; at < data.length; at += 4) if ((data[at] ?? 0) > 0) veiled += 1;
    return veiled;
  });
}
