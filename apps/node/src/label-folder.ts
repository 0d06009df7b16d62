import { lockOutput } from './lock.js';
import { Output } from './output.js';
import { type PoolOptions, WorkerPool } from './pool.js';
import { type Labeling, type Row, type RowFormat, stillHolds } from './row.js';
import { countPhotos, type FoundPhoto, walkPhotos } from './walk.js';

/** Photos ahead of the row that is written next, per worker: one that takes long does not hold up the others. */
const AHEAD = 16;

export interface LabelFolderOptions extends PoolOptions {
  readonly folder: string;
  readonly output: string;
  readonly format: RowFormat;
  readonly overwrite: boolean;
  /** Aborted: photos in work are finished, no other is begun. */
  readonly signal: AbortSignal;
  readonly onProgress: (tally: Tally) => void;
}

/** Rows so far. */
export interface Tally {
  readonly total: number;
  /** Rows written, of all kinds. */
  done: number;
  /** Rows of errors. */
  errors: number;
  /** Rows that stood in the output and still hold. */
  kept: number;
}

export interface LabelFolderResult extends Tally {
  readonly interrupted: boolean;
  /** Spent on labeling, milliseconds. */
  readonly milliseconds: number;
}

interface Written {
  readonly text: string;
  readonly kept: boolean;
  readonly failed: boolean;
}

/** Labels the photos of a folder into a file, in order, and takes over rows that still hold. @throws E_READ, E_OUTPUT, E_WORKER … */
export async function labelFolder(options: LabelFolderOptions): Promise<LabelFolderResult> {
  const { folder, output: path, format, signal } = options;
  const tally: Tally = { total: await countPhotos(folder), done: 0, errors: 0, kept: 0 };
  const unlock = await lockOutput(path);
  const pool = new WorkerPool(options);
  const giveUp = (): void => pool.giveUpWaiting();
  signal.addEventListener('abort', giveUp);
  try {
    const labeling = await pool.start();
    const output = await Output.open(path, format, options.overwrite);
    const started = performance.now();
    let whole = false;
    try {
      whole = await writeRows(options, pool, output, labeling, tally);
    } finally {
      // Also after an error: what was labeled is kept.
      if (whole) await output.complete();
      else await output.interrupt();
    }
    return { ...tally, interrupted: !whole, milliseconds: performance.now() - started };
  } finally {
    signal.removeEventListener('abort', giveUp);
    pool.close();
    await unlock();
  }
}

/** @returns whether all rows were written: false if it was aborted before */
async function writeRows(
  { folder, format, workers, signal, onProgress }: LabelFolderOptions,
  pool: WorkerPool,
  output: Output,
  labeling: Labeling,
  tally: Tally,
): Promise<boolean> {
  const queue: Promise<Written | undefined>[] = [];

  async function rowOf(photo: FoundPhoto): Promise<Written | undefined> {
    const { path, file, size, modified } = photo;
    const outcome = await pool.label({ type: 'photo', path, file });
    if (outcome === undefined) return undefined;
    const row: Row = { file, size, modified, ...outcome };
    return { text: format.write(row), kept: false, failed: 'error' in outcome };
  }

  /** Writes the first row of the queue; false if it was given up. */
  async function writeNext(): Promise<boolean> {
    const row = await queue.shift();
    if (row === undefined) return false;
    await output.add(row.text, !row.kept);
    tally.done += 1;
    if (row.kept) tally.kept += 1;
    if (row.failed) tally.errors += 1;
    onProgress(tally);
    return true;
  }

  for await (const photo of walkPhotos(folder)) {
    if (signal.aborted) break;
    const standing = await output.find(photo.file);
    if (standing !== undefined && stillHolds(standing.row, photo, labeling)) {
      queue.push(Promise.resolve({ text: standing.text, kept: true, failed: false }));
    } else {
      const row = rowOf(photo);
      // Its error is thrown when its turn comes.
      row.catch(() => undefined);
      queue.push(row);
    }
    if (queue.length >= AHEAD * workers && !(await writeNext())) return false;
  }
  while (queue.length > 0) if (!(await writeNext())) return false;
  return !signal.aborted;
}
