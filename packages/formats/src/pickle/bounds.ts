/** What every part of the machine goes by: how it refuses, and how much it takes. */

/** Throws a coded error at the opcode being read. */
export type PickleRefuse = (code: string, message: string, hint: string) => never;

export interface PickleLimits {
  /** Bytes of the pickle; 32 MiB. */
  readonly bytes: number;
  /** Lists, tuples, dicts, sets and objects; 1,000,000. */
  readonly objects: number;
  /** Entries of the stack and of the memo; 4,000,000. */
  readonly entries: number;
}

export const DEFAULT_PICKLE_LIMITS: PickleLimits = { bytes: 32 * 2 ** 20, objects: 1_000_000, entries: 4_000_000 };

export const DAMAGED =
  'The file is damaged or no checkpoint: get it again and compare its sha256 with the one published.';
export const UNTRUSTED = 'No checkpoint is this large: do not trust the file.';
export const RESAVE =
  'Save the weights alone, in Python: torch.save(model.state_dict(), FILE). Names outside the list in the documentation are refused, whatever they do.';
