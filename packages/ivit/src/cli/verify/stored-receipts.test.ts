import { describe, expect, it } from 'vitest';
import { matchReceipts, parseReceipts } from './stored-receipts.js';

const receipt = (digit: string) => ({
  spec: 'ivit/1',
  model: '1'.repeat(64),
  pixels: '2'.repeat(64),
  output: digit.repeat(64),
});
const row = (file: string, digit: string) => ({ file, answers: [], receipt: receipt(digit) });

function outputs(content: string, ...photos: string[]): string[] {
  return matchReceipts(parseReceipts(content, 'r'), photos, 'r').map(({ output }) => output[0] ?? '');
}

function messageOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return 'no error';
}

describe('receipts in a file', () => {
  it('may be a document of classify, its rows, JSON lines, or one receipt', () => {
    const rows = [row('a.jpg', 'a'), row('b.jpg', 'b')];
    expect(outputs(JSON.stringify({ model: 'm', results: rows }, undefined, 2), 'b.jpg', 'a.jpg')).toEqual(['b', 'a']);
    expect(outputs(JSON.stringify(rows, undefined, 2), 'b.jpg')).toEqual(['b']);
    expect(outputs(`${rows.map((one) => JSON.stringify(one)).join('\n')}\n\n`, 'a.jpg', 'b.jpg')).toEqual(['a', 'b']);
    expect(outputs(JSON.stringify(rows[0]), 'a.jpg')).toEqual(['a']);
    expect(outputs(JSON.stringify(receipt('c')), 'any.jpg')).toEqual(['c']);
    expect(outputs(`${JSON.stringify(receipt('c'))}\n${JSON.stringify(receipt('d'))}\n`, 'x', 'y')).toEqual(['c', 'd']);
  });

  it('belong to the photo whose path ends most like theirs', () => {
    const rows = JSON.stringify([row('x/a.jpg', '1'), row('y/a.jpg', '2'), row('b.jpg', '3')]);
    expect(outputs(rows, '/photos/y/a.jpg', 'photos\\x\\a.jpg', '/elsewhere/b.jpg')).toEqual(['2', '1', '3']);
    expect(messageOf(() => outputs(rows, 'a.jpg'))).toMatch(/^2 receipts may be of a\.jpg, and they differ/);
    expect(messageOf(() => outputs(rows, 'c.jpg'))).toMatch(/^It has no receipt of c\.jpg/);
    expect(outputs(JSON.stringify([row('x/a.jpg', '1'), row('y/a.jpg', '1')]), 'a.jpg')).toEqual(['1']);
  });

  it.each([
    ['', /^The file is empty/],
    ['{"file":"a.jpg"', /^This is no JSON \(r\)/],
    [`${JSON.stringify(row('b.jpg', '1'))}\n{"file":"a.j`, /^This is no JSON \(r, line 2\)/],
    ['[3]', /^This is no receipt \(r, result 0\)/],
    ['{"file":"a.jpg"}', /^The receipt's "spec" is missing/],
    [JSON.stringify(row('a.jpg', 'g')), /^The receipt's "output" is missing or malformed/],
    [JSON.stringify({ ...row('a.jpg', '1'), file: 3 }), /^"file" is no text/],
    ['{"file":"a.jpg","error":{"code":"E_JPEG","message":"m"}}', /^It has an error for a\.jpg: E_JPEG/],
    [`${JSON.stringify(receipt('1'))}\n${JSON.stringify(receipt('2'))}`, /^2 receipts without names for 1 photos/],
    ['['.repeat(1_000_000), /^This is no JSON/],
  ])('are refused where they say nothing: %.40s', (content, says) => {
    expect(messageOf(() => outputs(content, 'a.jpg'))).toMatch(says);
  });
});
