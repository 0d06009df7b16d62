import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { csv, parseRecord } from './csv.js';
import { jsonLines } from './json-lines.js';
import { mergeRows, readRows } from './known-rows.js';
import { compareFiles, type KnownRow, type Labeling, type Row, type RowFormat, stillHolds } from './row.js';
import { temporaryFolders } from './testing.js';

const folder = temporaryFolders();
const receipt = { spec: 'ivit/1', model: 'm', pixels: 'p', output: 'o' };
const photo = (file: string) => ({ file, size: 5, modified: '2023-11-14T22:13:20.000Z' });
const answer = (index: number, label: string, score: number) => ({ index, label, score, logit: 3 });
const labeled = (file: string): Row => ({ ...photo(file), answers: [answer(1, 'b, "b"', 0.75)], receipt });
const failed = (file: string): Row => ({ ...photo(file), error: { code: 'E_JPEG', message: 'odd,\n"so"' } });
const FORMATS: readonly (readonly [string, RowFormat])[] = [
  ['CSV', csv(1)],
  ['JSON lines', jsonLines()],
];

async function read(path: string, format: RowFormat): Promise<KnownRow[]> {
  const rows: KnownRow[] = [];
  for await (const { row } of readRows(path, format)) rows.push(row);
  return rows;
}

describe.each(FORMATS)('rows as %s', (_, format) => {
  const rows = [labeled('a/x.jpg'), failed('a.jpg'), labeled('odd\n", name ä.jpg'), labeled('z')];
  const text = `${format.header}${rows.map(format.write).join('')}`;

  it('are read back, whatever is in the names and messages', async () => {
    const path = join(await folder(), 'rows');
    await writeFile(path, text);
    const known = await read(path, format);
    expect(known.map(({ file }) => file)).toEqual(['a/x.jpg', 'a.jpg', 'odd\n", name ä.jpg', 'z']);
    expect(known[0]).toEqual({
      ...photo('a/x.jpg'),
      labeled: { spec: 'ivit/1', model: 'm', answers: [{ index: 1, label: 'b, "b"', score: 0.75 }] },
    });
    expect(known[1]).toEqual({ ...photo('a.jpg'), labeled: undefined });
  });

  it('are read up to where the file is torn, at whatever byte', async () => {
    const path = join(await folder(), 'rows');
    const bytes = Buffer.from(text);
    const ends = rows.map((__, index) =>
      Buffer.byteLength(
        format.header +
          rows
            .slice(0, index + 1)
            .map(format.write)
            .join(''),
      ),
    );
    for (let length = 0; length <= bytes.length; length++) {
      await writeFile(path, bytes.subarray(0, length));
      expect(await read(path, format), `${length} bytes`).toHaveLength(ends.filter((end) => end <= length).length);
    }
  });

  it('are refused where they are none, or out of order', async () => {
    const path = join(await folder(), 'rows');
    const refusal = async (content: string): Promise<unknown> => {
      await writeFile(path, content);
      return read(path, format).then(
        () => 'read',
        (error: Error) => error.message,
      );
    };
    expect(await refusal(`${text}rubbish\n`)).toMatch(/^This is no row of this program \(.*record/);
    expect(await refusal(`${text}${format.write(labeled('b'))}`)).toMatch(/^The rows are not in order/);
    expect(await refusal(`"${'x'.repeat(5_000_000)}`)).toMatch(/^Record 1 has no end/);
  });

  it('are merged in order, the first file before the second', async () => {
    const at = await folder();
    const [one, two] = [join(at, '1'), join(at, '2')];
    await writeFile(one, `${format.header}${[failed('b'), labeled('d')].map(format.write).join('')}`);
    await writeFile(two, `${format.header}${['a', 'b', 'c'].map((file) => format.write(labeled(file))).join('')}`);
    const merged: string[] = [];
    for await (const { row } of mergeRows(readRows(one, format), readRows(two, format))) {
      merged.push(`${row.file} ${row.labeled === undefined ? 'failed' : 'labeled'}`);
    }
    expect(merged).toEqual(['a labeled', 'b failed', 'c labeled', 'd labeled']);
    const alone: string[] = [];
    for await (const { row } of mergeRows(readRows(join(at, 'none'), format), readRows(two, format)))
      alone.push(row.file);
    expect(alone).toEqual(['a', 'b', 'c']);
  });
});

describe('a record of CSV', () => {
  it.each([
    ['a,b\n', ['a', 'b']],
    ['"a,""\n",\n', ['a,"\n', '']],
    ['', ['']],
    ['"a"b,c\n', undefined],
    ['a"b\n', undefined],
    ['"open\n', undefined],
  ])('%j', (text, fields) => {
    expect(parseRecord(text)).toEqual(fields);
  });
});

describe('compareFiles', () => {
  it('orders folder by folder, as the walk does', () => {
    const ordered = ['a/b/c', 'a/c', 'a-b/a', 'a.jpg', 'aa', 'b', 'ä'];
    const shuffled = ['b', 'a.jpg', 'ä', 'a/c', 'aa', 'a-b/a', 'a/b/c'];
    expect(shuffled.sort(compareFiles)).toEqual(ordered);
    expect(compareFiles('a', 'a')).toBe(0);
  });
});

describe('stillHolds', () => {
  const labeling: Labeling = {
    spec: 'ivit/1',
    model: 'm',
    labels: ['a', 'b'],
    classes: 2,
    unknownBelow: 32768,
    topK: 1,
  };
  const row = (file: string, answers: readonly { index: number; label: string; score: number }[]): KnownRow => ({
    ...photo(file),
    labeled: { spec: 'ivit/1', model: 'm', answers },
  });
  const good = row('f', [{ index: 1, label: 'b', score: 0.75 }]);

  it('is so for the same photo, model, labels and number of answers alone', () => {
    expect(stillHolds(good, photo('f'), labeling)).toBe(true);
    expect(stillHolds(good, { ...photo('f'), size: 6 }, labeling)).toBe(false);
    expect(stillHolds(good, { ...photo('f'), modified: 'later' }, labeling)).toBe(false);
    expect(stillHolds(good, photo('f'), { ...labeling, model: 'n' })).toBe(false);
    expect(stillHolds(good, photo('f'), { ...labeling, spec: 'ivit/1.1' })).toBe(false);
    expect(stillHolds(good, photo('f'), { ...labeling, labels: ['a', 'c'] })).toBe(false);
    expect(stillHolds(good, photo('f'), { ...labeling, topK: 2 })).toBe(false);
    expect(stillHolds(good, photo('f'), { ...labeling, unknownBelow: 60000 })).toBe(false);
    expect(stillHolds({ ...good, labeled: undefined }, photo('f'), labeling)).toBe(false);
  });

  it('knows the unknown, and classes without labels', () => {
    const unknown = [
      { index: -1, label: 'unknown', score: 0.25 },
      { index: 0, label: 'a', score: 0.25 },
      { index: 1, label: 'b', score: 0.25 },
    ];
    expect(stillHolds(row('f', unknown), photo('f'), { ...labeling, topK: 5 })).toBe(true);
    expect(stillHolds(row('f', unknown), photo('f'), { ...labeling, topK: 5, unknownBelow: 0 })).toBe(false);
    expect(
      stillHolds(row('f', [{ index: 1, label: 'class 1', score: 1 }]), photo('f'), { ...labeling, labels: undefined }),
    ).toBe(true);
  });
});
