import { mkdtemp, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadModel } from 'ivit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  childrenOf,
  photoOf,
  putPhoto,
  run,
  SOURCES,
  start,
  temporaryFolders,
  untilGone,
  untilLines,
} from './testing.js';

const folder = temporaryFolders();
const PHOTOS = ['cat.jpg', 'coffee.png', 'kingfisher.jpg', 'rocket.jpg'];

/** Photos in folders and beside them. */
async function putPhotos(photos: string, count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    const name = PHOTOS[index % PHOTOS.length] ?? '';
    const below = index % 3 === 0 ? 'a-b' : index % 3 === 1 ? 'a' : '';
    await putPhoto(join(photos, below, `${String(index).padStart(4, '0')}-${name}`), name);
  }
}

async function manyPhotos(count: number): Promise<{ at: string; photos: string }> {
  const at = await folder();
  const photos = join(at, 'photos');
  await putPhotos(photos, count);
  return { at, photos };
}

/** Photos that no test changes, and the rows of an uninterrupted run. */
let shared: { readonly at: string; readonly photos: string };
beforeAll(async () => {
  const at = await mkdtemp(join(tmpdir(), 'label-folder-shared-'));
  const photos = join(at, 'photos');
  await putPhotos(photos, 48);
  shared = { at, photos };
  for (const ending of ['csv', 'jsonl']) {
    expect((await run([photos, '-o', join(at, `whole.${ending}`)], SOURCES)).status).toBe(0);
  }
});
afterAll(() => rm(shared.at, { recursive: true, force: true }));

const kept = (stderr: string): number => Number(/\((\d+) of them before\)/.exec(stderr)?.[1]);

describe('label-folder', () => {
  it('writes what the library says, in order, the same bytes with one worker and three', async () => {
    const at = await folder();
    const photos = join(at, 'photos');
    for (const name of ['z.jpg', 'a/z.JPEG', 'a.jpg', 'a/b/y.jpg', 'odd ", name.jpg'])
      await putPhoto(join(photos, name), 'cat.jpg');
    await putPhoto(join(photos, 'm.png'), 'coffee.png');
    await writeFile(join(photos, 'notes.txt'), 'no photo');
    const outputs = ['1.jsonl', '3.jsonl'].map((name) => join(at, name));
    for (const [index, output] of outputs.entries()) {
      const result = await run([photos, '-o', output, '--top-k', '3', '--workers', String(1 + 2 * index), '--quiet']);
      expect(result).toMatchObject({
        status: 0,
        stderr: expect.stringMatching(/^6 photos: 6 labeled \(0 of them before\), 0 errors, [\d.]+ photos\/s\n$/),
      });
    }
    const [one = '', three] = await Promise.all(outputs.map((path) => readFile(path, 'utf8')));
    expect(three).toBe(one);
    const rows = one
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const files = ['a/b/y.jpg', 'a/z.JPEG', 'a.jpg', 'm.png', 'odd ", name.jpg', 'z.jpg'];
    expect(rows.map(({ file }) => file)).toEqual(files);
    const model = await loadModel('builtin', { threads: 1 });
    const [answers, [result]] = [
      await model.classify(photoOf('coffee.png'), { topK: 3 }),
      await model.run([photoOf('coffee.png')]),
    ];
    await model.dispose();
    const { size } = await stat(photoOf('coffee.png'));
    expect(rows[3]).toEqual({
      file: 'm.png',
      size,
      modified: '2023-11-14T22:13:20.000Z',
      answers,
      receipt: result?.receipt,
    });

    const table = join(at, 'rows.csv');
    expect((await run([photos, '-o', table, '--top-k', '2', '--quiet'])).status).toBe(0);
    const [header, ...lines] = (await readFile(table, 'utf8')).trimEnd().split('\n');
    expect(header).toBe(
      'file,size,modified,index,label,score,index2,label2,score2,spec,model,pixels,output,error,message',
    );
    expect(lines).toHaveLength(6);
    expect(lines[3]).toBe(
      [
        'm.png',
        size,
        '2023-11-14T22:13:20.000Z',
        ...answers.slice(0, 2).flatMap(({ index, label, score }) => [index, label, score]),
        ...Object.values(result?.receipt ?? {}),
        '',
        '',
      ].join(','),
    );
    expect(lines[4]?.startsWith('"odd "", name.jpg",')).toBe(true);
    expect((await readdir(at)).sort()).toEqual(['1.jsonl', '3.jsonl', 'photos', 'rows.csv']);
  });

  it('goes on after kill -9, twice, and a torn row, to the same bytes', async () => {
    const { photos } = shared;
    const at = await folder();
    const output = join(at, 'killed.csv');
    for (const lines of [10, 26]) {
      const running = start([photos, '-o', output, '--workers', '2']);
      await untilLines(running, `${output}.part`, lines);
      const workers = process.platform === 'linux' ? await childrenOf(running.child.pid ?? 0) : [];
      running.child.kill('SIGKILL');
      expect(await running.finished).toMatchObject({ signal: 'SIGKILL' });
      if (process.platform === 'linux') expect(workers).toHaveLength(2);
      // Nobody is left behind.
      await untilGone(workers);
      // As a machine that goes down may leave it.
      const { size } = await stat(`${output}.part`);
      await truncate(`${output}.part`, size - 17);
    }
    const resumed = await run([photos, '-o', output]);
    expect(resumed.status).toBe(0);
    expect(kept(resumed.stderr)).toBeGreaterThanOrEqual(24);
    expect(kept(resumed.stderr)).toBeLessThan(48);
    const [got, expected] = await Promise.all([readFile(output), readFile(join(shared.at, 'whole.csv'))]);
    expect(got.equals(expected)).toBe(true);
    expect(await readdir(at)).toEqual(['killed.csv']);
    // The output itself torn, without any part beside it.
    await truncate(output, got.length - 200);
    const mended = await run([photos, '-o', output]);
    expect([mended.status, kept(mended.stderr)]).toEqual([0, 47]);
    expect((await readFile(output)).equals(expected)).toBe(true);
  });

  it('at SIGINT and SIGTERM finishes what is in work, leaves a whole file, and goes on', async () => {
    const { photos } = shared;
    const at = await folder();
    const output = join(at, 'stopped.jsonl');
    const expected = await readFile(join(shared.at, 'whole.jsonl'), 'utf8');
    let before = 0;
    for (const [signal, lines] of [
      ['SIGINT', 5],
      ['SIGTERM', 30],
    ] as const) {
      const running = start([photos, '-o', output, '--workers', '2', '--quiet']);
      await untilLines(running, `${output}.part`, lines);
      running.child.kill(signal);
      const stopped = await running.finished;
      expect(stopped).toMatchObject({ status: 130, signal: null });
      expect(stopped.stderr).toMatch(/^interrupted after \d+ of 48 photos: .*; the same command goes on from here\n$/);
      expect(kept(stopped.stderr)).toBe(before);
      expect(await readdir(at)).toEqual(['stopped.jsonl']);
      const part = await readFile(output, 'utf8');
      expect(part.endsWith('\n')).toBe(true);
      expect(part.length).toBeLessThan(expected.length);
      expect(expected.startsWith(part)).toBe(true);
      before = part.split('\n').length - 1;
    }
    const resumed = await run([photos, '-o', output]);
    expect([resumed.status, kept(resumed.stderr)]).toEqual([0, before]);
    expect(await readFile(output, 'utf8')).toBe(expected);
  });

  it('makes rows of broken photos, goes on, exits with 1, and tries them again', async () => {
    const { at, photos } = await manyPhotos(4);
    const broken = join(photos, 'a', '0001-broken.jpg');
    await writeFile(broken, (await readFile(photoOf('cat.jpg'))).subarray(0, 9000));
    await writeFile(join(photos, 'empty.png'), '');
    const output = join(at, 'rows.jsonl');
    const first = await run([photos, '-o', output, '--quiet']);
    expect(first).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^6 photos: 4 labeled \(0 of them before\), 2 errors/),
    });
    const rows = (await readFile(output, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const wrong = rows.filter((row) => 'error' in row);
    expect(wrong.map(({ file }) => file)).toEqual(['a/0001-broken.jpg', 'empty.png']);
    expect(wrong[0].error.code).toBe('E_IMAGE_CORRUPT');
    // Where the folder lies is not in the rows.
    expect(wrong[0].error.message).toContain('(a/0001-broken.jpg');
    const again = await run([photos, '-o', output]);
    expect([again.status, kept(again.stderr)]).toEqual([1, 4]);
    await rm(join(photos, 'empty.png'));
    await putPhoto(broken, 'cat.jpg');
    const mended = await run([photos, '-o', output]);
    expect([mended.status, kept(mended.stderr)]).toEqual([0, 4]);
  });

  it('follows a folder that changes: the same bytes as anew, and only what changed is done', async () => {
    const { at, photos } = await manyPhotos(12);
    const [output, anew] = [join(at, 'rows.csv'), join(at, 'anew.csv')];
    expect((await run([photos, '-o', output])).status).toBe(0);
    await putPhoto(join(photos, '0-first.jpg'), 'cat.jpg');
    await rm(join(photos, 'a', '0001-coffee.png'));
    await putPhoto(join(photos, 'a', '0004-cat.jpg'), 'rocket.jpg');
    await utimes(join(photos, 'a-b', '0006-kingfisher.jpg'), 1_800_000_000, 1_800_000_000);
    const second = await run([photos, '-o', output]);
    expect([second.status, kept(second.stderr)]).toEqual([0, 9]);
    expect((await run([photos, '-o', anew])).status).toBe(0);
    expect((await readFile(output)).equals(await readFile(anew))).toBe(true);
  });

  it('leaves a file alone that is not its own, or has other columns, unless told to overwrite', async () => {
    const { at, photos } = await manyPhotos(1);
    const output = join(at, 'rows.csv');
    await writeFile(output, 'my,own,table\n1,2,3\n');
    const alien = await run([photos, '-o', output]);
    expect(alien).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^label-folder: E_OUTPUT: .*rows\.csv, record 1/),
    });
    expect(await readFile(output, 'utf8')).toBe('my,own,table\n1,2,3\n');
    expect((await run([photos, '-o', output, '--overwrite'])).status).toBe(0);
    const rows = await readFile(output, 'utf8');
    const other = await run([photos, '-o', output, '--top-k', '2']);
    expect(other).toMatchObject({ status: 1, stderr: expect.stringContaining('another --top-k') });
    expect(await readFile(output, 'utf8')).toBe(rows);
    expect((await readdir(at)).sort()).toEqual(['photos', 'rows.csv']);
  });

  it('lets one run at a time write a file', async () => {
    const { at, photos } = await manyPhotos(1);
    const output = join(at, 'rows.csv');
    await writeFile(`${output}.lock`, `${process.pid}\n`);
    const locked = await run([photos, '-o', output]);
    expect(locked).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`E_OUTPUT: Process ${process.pid} is writing it`),
    });
    // Of a process that has gone.
    const gone = start(['--help']);
    await gone.finished;
    await writeFile(`${output}.lock`, `${gone.child.pid}\n`);
    expect((await run([photos, '-o', output])).status).toBe(0);
  });

  it.each([
    ['no folder', ['-o', 'x.csv'], 2, /E_USAGE: Name one folder/],
    ['a folder that is none', ['/nowhere', '-o', 'x.csv'], 1, /E_READ: There is no such folder/],
    ['a folder that is a file', [photoOf('cat.jpg'), '-o', 'x.csv'], 1, /E_READ: It is no folder/],
    ['an output in no folder', [photoOf('.'), '-o', '/nowhere/x.csv'], 1, /E_OUTPUT: /],
    ['no model', [photoOf('.'), '-o', 'x.csv', '--model', 'none.safetensors'], 1, /E_READ: .*none\.safetensors/],
  ])('says what is wrong with %s', async (_, args, status, says) => {
    const at = await folder();
    const result = await run(args.map((arg) => (arg.startsWith('x.') ? join(at, arg) : arg)));
    expect(result).toMatchObject({ status, stderr: expect.stringMatching(says) });
    expect(await readdir(at)).toEqual([]);
  });
});
