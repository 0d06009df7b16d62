/**
 * The output file and its parts. Rows are appended to `FILE.part`, in order, and `FILE` is replaced by it, by one rename, when
 * the run is over. What a run that was killed left is the old `FILE` and a `FILE.part` whose last row may be torn: the next run
 * makes one `FILE` of both, and takes from it the rows that still hold.
 */
import { existsSync } from 'node:fs';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { outputError } from './errors.js';
import { mergeRows, RowCursor, readRows, type StandingRow } from './known-rows.js';
import type { RowFormat } from './row.js';

/** Kept in memory at most, bytes. Only rows that stand in `FILE` already are kept back: no work is lost with them. */
const BUFFER = 65536;

const partOf = (path: string): string => `${path}.part`;
const mergedOf = (path: string): string => `${path}.merged`;

class Writer {
  readonly #path: string;
  readonly #handle: FileHandle;
  #held: string[] = [];
  #heldBytes = 0;

  private constructor(path: string, handle: FileHandle) {
    this.#path = path;
    this.#handle = handle;
  }

  static async open(path: string, header: string): Promise<Writer> {
    try {
      const writer = new Writer(path, await open(path, 'w'));
      await writer.add(header, true);
      return writer;
    } catch (error) {
      throw outputError(error, path);
    }
  }

  async add(text: string, now: boolean): Promise<void> {
    this.#held.push(text);
    this.#heldBytes += text.length;
    if (now || this.#heldBytes >= BUFFER) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.from(this.#held.join(''), 'utf8');
    this.#held = [];
    this.#heldBytes = 0;
    try {
      // Writes all of it, in as many calls as the system wants.
      await this.#handle.appendFile(bytes);
    } catch (error) {
      throw outputError(error, this.#path);
    }
  }

  async close(): Promise<void> {
    try {
      await this.#flush();
      await this.#handle.sync();
    } finally {
      await this.#handle.close();
    }
  }
}

/** Makes one file of `FILE` and `FILE.part`; may be stopped and done again at any point. @throws E_OUTPUT */
async function fold(path: string, format: RowFormat): Promise<void> {
  const part = partOf(path);
  if (!existsSync(part)) return;
  const writer = await Writer.open(mergedOf(path), format.header);
  try {
    for await (const { text } of mergeRows(readRows(part, format), readRows(path, format))) {
      await writer.add(text, false);
    }
  } finally {
    await writer.close();
  }
  try {
    await rename(mergedOf(path), path);
    await rm(part);
  } catch (error) {
    throw outputError(error, path);
  }
}

export class Output {
  readonly #path: string;
  readonly #format: RowFormat;
  readonly #known: RowCursor;
  readonly #writer: Writer;

  private constructor(path: string, format: RowFormat, known: RowCursor, writer: Writer) {
    this.#path = path;
    this.#format = format;
    this.#known = known;
    this.#writer = writer;
  }

  /**
   * @param overwrite deletes what stands there
   * @throws E_OUTPUT
   */
  static async open(path: string, format: RowFormat, overwrite: boolean): Promise<Output> {
    if (overwrite) for (const old of [partOf(path), path]) await rm(old, { force: true });
    await fold(path, format);
    const known = new RowCursor(readRows(path, format));
    // Asked for before the part is opened: a file that is not ours is refused with nothing changed.
    await known.find('');
    return new Output(path, format, known, await Writer.open(partOf(path), format.header));
  }

  /** The row that stands there of a file. Files must be asked for in order. */
  find(file: string): Promise<StandingRow | undefined> {
    return this.#known.find(file);
  }

  /** Appends a row's text: at once if it is new. */
  add(text: string, isNew: boolean): Promise<void> {
    return this.#writer.add(text, isNew);
  }

  /** Replaces the file by the rows that were added: the run is complete. */
  async complete(): Promise<void> {
    await this.#stop();
    try {
      await rename(partOf(this.#path), this.#path);
    } catch (error) {
      throw outputError(error, this.#path);
    }
  }

  /** Leaves one whole file of the rows that were added and those that stood there: the run was stopped. */
  async interrupt(): Promise<void> {
    await this.#stop();
    await fold(this.#path, this.#format);
  }

  async #stop(): Promise<void> {
    await this.#known.close();
    await this.#writer.close();
  }
}
