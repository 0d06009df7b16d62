import { IvitError } from '@ivit/program';

function systemCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown';
}

const READ_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'There is no such file or folder',
  EACCES: 'No permission to read it',
  EPERM: 'No permission to read it',
  EISDIR: 'It is a folder, not a file',
  ENOTDIR: 'A part of the path is no folder',
};

const READ_HINTS: Readonly<Record<string, string>> = {
  ENOENT: 'Check the path.',
  EACCES: 'Give yourself the right to read it.',
  EPERM: 'Give yourself the right to read it.',
  EISDIR: 'Name a file in it.',
  ENOTDIR: 'Check the path: where a folder is wanted, name the folder and not a file in it.',
};

/** A failed read as E_READ; coded errors pass unchanged. */
export function readError(error: unknown, path: string): IvitError {
  if (IvitError.isInstance(error)) return error;
  const code = systemCode(error);
  const hint = READ_HINTS[code];
  return new IvitError('E_READ', READ_REASONS[code] ?? `It cannot be read (${code})`, {
    where: path,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}

const WRITE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'The folder does not exist',
  ENOTDIR: 'A part of the path is no folder',
  EACCES: 'No permission to write there',
  EPERM: 'No permission to write there',
  EROFS: 'The file system is read-only',
  ENOSPC: 'The disk is full',
  EDQUOT: 'The disk quota is used up',
  EFBIG: 'The file is larger than allowed',
  EISDIR: 'It is a folder',
};

/** A failed write as E_OUTPUT; coded errors pass unchanged. */
export function writeError(error: unknown, path: string): IvitError {
  if (IvitError.isInstance(error)) return error;
  const code = systemCode(error);
  return new IvitError('E_OUTPUT', WRITE_REASONS[code] ?? `It cannot be written (${code})`, {
    where: path,
    hint: 'No partial file was left.',
    cause: error,
  });
}
