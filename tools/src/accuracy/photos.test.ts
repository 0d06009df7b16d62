import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { collectPhotos, readClasses } from './photos.js';

let folder = '';
const sha = (text: string): string => createHash('sha256').update(text).digest('hex');

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ivit-photos-'));
  mkdirSync(join(folder, 'flat'));
  for (const name of ['n02_dog_1.JPEG', 'n01_cat.png', 'n01_cat_2.jpg', 'notes.txt']) {
    writeFileSync(join(folder, 'flat', name), name);
  }
  for (const name of ['cat', 'dog']) {
    mkdirSync(join(folder, 'nested', name), { recursive: true });
    writeFileSync(join(folder, 'nested', name, '0001.jpg'), name);
  }
  writeFileSync(join(folder, 'classes.json'), JSON.stringify({ wnid: ['n01', 'n02'], label: ['cat', 'dog'] }));
  writeFileSync(join(folder, 'empty.json'), '{}');
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('collectPhotos', () => {
  const classes = () => readClasses(join(folder, 'classes.json'));

  test('takes the class from the name before the first underscore, or from the folder', () => {
    const flat = collectPhotos(join(folder, 'flat'), classes(), [], undefined);
    expect(flat.photos.map(({ name, label }) => [name, label])).toEqual([
      ['n01_cat.png', 0],
      ['n01_cat_2.jpg', 0],
      ['n02_dog_1.JPEG', 1],
    ]);
    const nested = collectPhotos(join(folder, 'nested'), classes(), [], undefined);
    expect(nested.photos.map(({ name, label }) => [name, label])).toEqual([
      ['cat/0001.jpg', 0],
      ['dog/0001.jpg', 1],
    ]);
  });

  test('leaves calibration photos out by content', () => {
    const set = collectPhotos(join(folder, 'flat'), classes(), [sha('n01_cat.png')], undefined);
    expect([set.photos.length, set.leftOut]).toEqual([2, 1]);
    const all = ['n02_dog_1.JPEG', 'n01_cat.png', 'n01_cat_2.jpg'].map(sha);
    expect(() => collectPhotos(join(folder, 'flat'), classes(), all, undefined)).toThrow('No photos to measure');
  });

  test('the halves are disjoint and complete', () => {
    // First bytes of their sha256: 47, 09 (odd) and be (even).
    const halves = (['tune', 'report'] as const).map((half) => {
      const set = collectPhotos(join(folder, 'flat'), classes(), [], half);
      return [set.photos.map((photo) => photo.name), set.otherHalf];
    });
    expect(halves).toEqual([
      [['n01_cat_2.jpg'], 2],
      [['n01_cat.png', 'n02_dog_1.JPEG'], 1],
    ]);
  });

  test('refuses unknown classes and empty lists', () => {
    expect(() => collectPhotos(join(folder, 'flat'), new Map([['n01', 0]]), [], undefined)).toThrow(
      "'n02' is no class",
    );
    expect(() => readClasses(join(folder, 'empty.json'))).toThrow('names no classes');
  });
});
