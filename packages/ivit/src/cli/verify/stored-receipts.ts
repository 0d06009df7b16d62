import { open } from 'node:fs/promises';
import { IvitError } from '@ivit/program';
import type { Receipt } from '@ivit/runtime';
import { readError } from '../../node/errors.js';

/** Some 500,000 rows; what engines put into one string is little more. */
const MAX_BYTES = 268435456;

/** A row of a file of receipts. */
export interface StoredReceipt {
  /** The photo as it was named; absent where a receipt stands alone. */
  readonly file: string | undefined;
  /** Or the code of the error that stands there instead. */
  readonly content: { readonly receipt: Receipt } | { readonly error: string };
  /** For messages: the line, or the place in the JSON. */
  readonly where: string;
}

function fail(message: string, where: string, cause?: unknown): never {
  throw new IvitError('E_RECEIPT', message, {
    where,
    hint: 'Pass what ivit classify --json prints, JSON lines with a receipt each, or one receipt.',
    ...(cause === undefined ? {} : { cause }),
  });
}

const isObject = (tree: unknown): tree is object => typeof tree === 'object' && tree !== null && !Array.isArray(tree);

function field(tree: object, name: string): unknown {
  return Object.hasOwn(tree, name) ? Reflect.get(tree, name) : undefined;
}

function text(tree: object, name: string, pattern: RegExp, where: string): string {
  const value = field(tree, name);
  if (typeof value !== 'string' || !pattern.test(value)) fail(`The receipt's "${name}" is missing or malformed`, where);
  return value;
}

function toReceipt(tree: object, where: string): Receipt {
  const digest = /^[0-9a-f]{64}$/;
  return {
    spec: text(tree, 'spec', /^.{1,100}$/, where),
    model: text(tree, 'model', digest, where),
    pixels: text(tree, 'pixels', digest, where),
    output: text(tree, 'output', digest, where),
  };
}

/** `{ file?, receipt }`, `{ file?, error }` or a receipt alone. */
function toRow(tree: unknown, where: string): StoredReceipt {
  if (!isObject(tree)) return fail('This is no receipt', where);
  const file = field(tree, 'file');
  if (file !== undefined && typeof file !== 'string') fail('"file" is no text', where);
  const error = field(tree, 'error');
  if (isObject(error)) return { file, content: { error: String(field(error, 'code')) }, where };
  const receipt = field(tree, 'receipt');
  return { file, content: { receipt: toReceipt(isObject(receipt) ? receipt : tree, where) }, where };
}

function parse(content: string, where: string): unknown {
  try {
    return JSON.parse(content);
  } catch (error) {
    // A SyntaxError, or a RangeError where brackets nest without end.
    return fail('This is no JSON', where, error);
  }
}

/** Rows of one JSON document: a row, a list of rows, or an object with `results`. */
function documentRows(tree: unknown, where: string): StoredReceipt[] {
  const results = isObject(tree) ? field(tree, 'results') : tree;
  if (!Array.isArray(results)) return [toRow(tree, where)];
  return results.map((row: unknown, index) => toRow(row, `${where}, result ${index}`));
}

/** The rows of a file's text, JSON or JSON lines. @throws E_RECEIPT, which says where */
export function parseReceipts(content: string, where: string): StoredReceipt[] {
  const lines = content.split('\n');
  const filled = lines.flatMap((line, index) => (line.trim() === '' ? [] : [{ line, number: index + 1 }]));
  const [first] = filled;
  if (first === undefined) return fail('The file is empty', where);
  // A document over several lines has no whole value on its first.
  const oneDocument = filled.length === 1 || !/[}\]]\s*$/.test(first.line);
  if (oneDocument) return documentRows(parse(content, where), where);
  return filled.map(({ line, number }) => toRow(parse(line, `${where}, line ${number}`), `${where}, line ${number}`));
}

/** @throws E_READ, E_RECEIPT */
export async function readReceipts(path: string): Promise<StoredReceipt[]> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > MAX_BYTES) fail(`The file has ${size} bytes, more than ${MAX_BYTES}`, path);
      return parseReceipts(await file.readFile('utf8'), path);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw readError(error, path);
  }
}

const segments = (file: string): string[] => file.split(/[\\/]/).filter((part) => part !== '' && part !== '.');

/** How many names two paths have in common, from their ends. */
function commonTail(a: readonly string[], b: readonly string[]): number {
  let count = 0;
  while (count < a.length && count < b.length && a[a.length - 1 - count] === b[b.length - 1 - count]) count += 1;
  return count;
}

function receiptOf({ content, where }: StoredReceipt, photo: string): Receipt {
  return 'receipt' in content ? content.receipt : fail(`It has an error for ${photo}: ${content.error}`, where);
}

/**
 * The receipt of each photo: of the row whose file name has most in common with the photo's path, from its end, and at least the
 * name itself. Rows without names are taken in order, if they are as many as the photos.
 *
 * @throws E_RECEIPT for a photo without a row, with an error's row, or with several rows that say different things
 */
export function matchReceipts(
  rows: readonly StoredReceipt[],
  photos: readonly string[],
  where: string,
): readonly Receipt[] {
  if (rows.every(({ file }) => file === undefined)) {
    if (rows.length !== photos.length) fail(`${rows.length} receipts without names for ${photos.length} photos`, where);
    return rows.map((row, index) => receiptOf(row, photos[index] ?? ''));
  }
  const byName = new Map<string, { readonly path: readonly string[]; readonly row: StoredReceipt }[]>();
  for (const row of rows) {
    const path = segments(row.file ?? '');
    const name = path.at(-1) ?? '';
    const list = byName.get(name);
    if (list === undefined) byName.set(name, [{ path, row }]);
    else list.push({ path, row });
  }
  return photos.map((photo) => {
    const path = segments(photo);
    const candidates = byName.get(path.at(-1) ?? '') ?? [];
    const most = Math.max(0, ...candidates.map((one) => commonTail(one.path, path)));
    const best = candidates.filter((one) => commonTail(one.path, path) === most).map(({ row }) => row);
    const [row] = best;
    if (row === undefined) return fail(`It has no receipt of ${photo}`, where);
    const said = new Set(best.map(({ content }) => JSON.stringify(content)));
    if (said.size > 1) fail(`${best.length} receipts may be of ${photo}, and they differ`, where);
    return receiptOf(row, photo);
  });
}
