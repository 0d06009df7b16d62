import { createReadStream } from 'node:fs';
import { IvitError } from 'ivit';

/** Longer than any row; what is longer is no file of ours, and is not read into memory. */
const MAX_RECORD = 4194304;

const LINE_FEED = 10;
const QUOTE = 34;

export interface TextRecord {
  /** With its line feed, if it has one. */
  readonly text: string;
  /** False for the last one where the file ends without a line feed: it was torn. */
  readonly whole: boolean;
  /** 1 for the first. */
  readonly number: number;
}

/**
 * The records of a file, read piece by piece.
 *
 * @param quotes line feeds between double quotes belong to the record
 * @throws E_OUTPUT for a record without end; what the system says of the file
 */
export async function* readRecords(path: string, quotes: boolean): AsyncGenerator<TextRecord> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  let quoted = false;
  let number = 0;
  const take = (end: Uint8Array, whole: boolean): TextRecord => {
    const text = Buffer.concat([...held, end]).toString('utf8');
    held = [];
    heldBytes = 0;
    number += 1;
    return { text, whole, number };
  };
  for await (const chunk of createReadStream(path)) {
    const bytes: Uint8Array = chunk;
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE && quotes) quoted = !quoted;
      if (byte !== LINE_FEED || quoted) continue;
      yield take(bytes.subarray(start, at + 1), true);
      start = at + 1;
    }
    held.push(bytes.subarray(start));
    heldBytes += bytes.length - start;
    if (heldBytes > MAX_RECORD) {
      throw new IvitError('E_OUTPUT', `Record ${number + 1} has no end; this is no output of this program`, {
        where: path,
        hint: 'Name another output file, or replace it by --overwrite.',
      });
    }
  }
  if (heldBytes > 0) yield take(new Uint8Array(0), false);
}
