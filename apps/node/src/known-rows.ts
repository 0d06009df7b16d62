import { existsSync } from 'node:fs';
import { IvitError } from 'ivit';
import { readRecords } from './records.js';
import { compareFiles, type KnownRow, type RowFormat } from './row.js';

/** A row that stands in a file, and its text. */
export interface StandingRow {
  readonly row: KnownRow;
  readonly text: string;
}

/**
 * The rows of an output file in their order. A torn last record is passed over. A file that is not there has none.
 *
 * @throws E_OUTPUT for a file that is not of this program, format and number of answers, or whose rows are out of order
 */
export async function* readRows(path: string, format: RowFormat): AsyncGenerator<StandingRow> {
  if (!existsSync(path)) return;
  const fail = (message: string, number: number): never => {
    throw new IvitError('E_OUTPUT', message, {
      where: `${path}, record ${number}`,
      hint: 'Name another output file, or replace it by --overwrite.',
    });
  };
  let last: string | undefined;
  for await (const { text, whole, number } of readRecords(path, format.quotes)) {
    if (!whole) return;
    if (number === 1 && format.header !== '') {
      if (text !== format.header) fail('The columns are not those of this command: another --top-k, or no output', 1);
      continue;
    }
    const row = format.read(text) ?? fail('This is no row of this program', number);
    if (last !== undefined && compareFiles(last, row.file) > 0)
      fail('The rows are not in order of their files', number);
    last = row.file;
    yield { row, text };
  }
}

/** Two files of rows as one, in order; where both have a file's row, the first's. */
export async function* mergeRows(
  first: AsyncGenerator<StandingRow>,
  second: AsyncGenerator<StandingRow>,
): AsyncGenerator<StandingRow> {
  let [a, b] = [await first.next(), await second.next()];
  while (!a.done || !b.done) {
    const order = a.done ? 1 : b.done ? -1 : compareFiles(a.value.row.file, b.value.row.file);
    if (!a.done && order <= 0) yield a.value;
    else if (!b.done) yield b.value;
    const [nextA, nextB] = [order <= 0, order >= 0];
    if (nextA) a = await first.next();
    if (nextB) b = await second.next();
  }
}

/** Looks rows up whose files are asked for in order. */
export class RowCursor {
  readonly #rows: AsyncGenerator<StandingRow>;
  #next: StandingRow | undefined;
  #started = false;

  constructor(rows: AsyncGenerator<StandingRow>) {
    this.#rows = rows;
  }

  async #advance(): Promise<void> {
    const { done, value } = await this.#rows.next();
    this.#next = done ? undefined : value;
  }

  /** The row of a file, if there is one. */
  async find(file: string): Promise<StandingRow | undefined> {
    if (!this.#started) await this.#advance();
    this.#started = true;
    while (this.#next !== undefined && compareFiles(this.#next.row.file, file) < 0) await this.#advance();
    return this.#next?.row.file === file ? this.#next : undefined;
  }

  async close(): Promise<void> {
    await this.#rows.return(undefined);
  }
}
