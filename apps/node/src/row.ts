import type { Answer, Receipt } from 'ivit';
import type { Failure } from './errors.js';

/** A photo as the folder holds it. */
export interface PhotoFile {
  /** Path below the folder, with `/`. */
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  /** Time of the last change, ISO 8601 with milliseconds. */
  readonly modified: string;
}

export type Outcome = { readonly answers: readonly Answer[]; readonly receipt: Receipt } | { readonly error: Failure };

export type Row = PhotoFile & Outcome;

/** What is read back of a row: enough to know whether it still holds. */
export interface KnownRow extends PhotoFile {
  /** Undefined for a row of an error. */
  readonly labeled:
    | {
        readonly spec: string;
        readonly model: string;
        readonly answers: readonly Pick<Answer, 'index' | 'label' | 'score'>[];
      }
    | undefined;
}

/** How rows are written and read back. Each ends with a line feed. */
export interface RowFormat {
  /** The first record of a file; empty where the format has none. */
  readonly header: string;
  /** Whether line feeds between double quotes belong to a record. */
  readonly quotes: boolean;
  write(row: Row): string;
  /** Undefined for what is no row of this format. */
  read(record: string): KnownRow | undefined;
}

/** What a row depends on besides the photo. */
export interface Labeling {
  readonly spec: string;
  /** Model id. */
  readonly model: string;
  readonly labels: readonly string[] | undefined;
  readonly classes: number;
  readonly unknownBelow: number;
  readonly topK: number;
}

/**
 * Whether labeling the photo again would give the same row: same size and time of change, same model, same labels, as many
 * answers. Rows of errors never hold, so that a photo that was mended, or could not be read for a while, is tried again.
 */
export function stillHolds(known: KnownRow, photo: PhotoFile, labeling: Labeling): boolean {
  const { labeled } = known;
  if (labeled === undefined || known.size !== photo.size || known.modified !== photo.modified) return false;
  const { spec, model, labels, classes, unknownBelow, topK } = labeling;
  if (labeled.spec !== spec || labeled.model !== model) return false;
  const [best] = labeled.answers;
  const unknown = best !== undefined && best.score * 65536 < unknownBelow;
  if (labeled.answers.length !== Math.min(topK, unknown ? classes + 1 : classes)) return false;
  return labeled.answers.every(({ index, label }, rank) => {
    if (rank === 0 && unknown) return index === -1 && label === 'unknown';
    return label === (labels?.[index] ?? `class ${index}`);
  });
}

const segments = (file: string): readonly string[] => file.split('/');

/** The order of rows: name by name along the path, by UTF-16 code units. Negative, 0 or positive. */
export function compareFiles(a: string, b: string): number {
  const [left, right] = [segments(a), segments(b)];
  for (const [index, name] of left.entries()) {
    const other = right[index];
    if (other === undefined) return 1;
    if (name !== other) return name < other ? -1 : 1;
  }
  return left.length - right.length;
}
