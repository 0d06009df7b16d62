import type { KnownRow, Row, RowFormat } from './row.js';

const RECEIPT = ['spec', 'model', 'pixels', 'output'] as const;

function quote(value: string | number): string {
  const text = String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const record = (fields: readonly (string | number)[]): string => `${fields.map(quote).join(',')}\n`;

/** The fields of one record, with or without its line feed; undefined if quotes stand where none may. */
export function parseRecord(text: string): string[] | undefined {
  const fields: string[] = [];
  let rest = text.endsWith('\n') ? text.slice(0, -1) : text;
  while (true) {
    const match = /^(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|$)/.exec(rest);
    if (match === null) return undefined;
    const [all, quoted, plain = '', end] = match;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === '') return fields;
    rest = rest.slice(all.length);
  }
}

/** `1` to `1`, `-1` to `-1`; undefined for what is no number as this program writes it. */
function number(text: string | undefined): number | undefined {
  return text !== undefined && /^-?\d+(\.\d+)?(e-\d+)?$/.test(text) ? Number(text) : undefined;
}

/**
 * Columns: file, size, modified, then index, label and score of each answer, then the receipt's four fields, then code and
 * message of an error. RFC 4180 with line feeds.
 *
 * @param topK answers of a row
 */
export function csv(topK: number): RowFormat {
  const ranks = Array.from({ length: topK }, (_, rank) => (rank === 0 ? '' : String(rank + 1)));
  const columns = [
    ...['file', 'size', 'modified'],
    ...ranks.flatMap((rank) => [`index${rank}`, `label${rank}`, `score${rank}`]),
    ...RECEIPT,
    ...['error', 'message'],
  ];

  function write(row: Row): string {
    const { file, size, modified } = row;
    if ('error' in row) {
      const empty = new Array<string>(3 * topK + RECEIPT.length).fill('');
      return record([file, size, modified, ...empty, row.error.code, row.error.message]);
    }
    const answers = ranks.flatMap((_, rank) => {
      const answer = row.answers[rank];
      return answer === undefined ? ['', '', ''] : [answer.index, answer.label, answer.score];
    });
    return record([file, size, modified, ...answers, ...RECEIPT.map((name) => row.receipt[name]), '', '']);
  }

  function read(text: string): KnownRow | undefined {
    const fields = parseRecord(text);
    if (fields === undefined || fields.length !== columns.length) return undefined;
    const [file = '', sizeText, modified = ''] = fields;
    const size = number(sizeText);
    if (file === '' || size === undefined || modified === '') return undefined;
    const [spec = '', model = ''] = fields.slice(3 + 3 * topK);
    if (fields.at(-2) !== '') return { file, size, modified, labeled: undefined };
    if (spec === '' || model === '') return undefined;
    const answers = ranks.flatMap((_, rank) => {
      const [indexText, label = '', scoreText] = fields.slice(3 + 3 * rank, 6 + 3 * rank);
      const [index, score] = [number(indexText), number(scoreText)];
      return index === undefined || score === undefined ? [] : [{ index, label, score }];
    });
    return { file, size, modified, labeled: { spec, model, answers } };
  }

  return { header: record(columns), quotes: true, write, read };
}
