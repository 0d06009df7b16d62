/** Brand shared with `IvitError`: recognize errors by it, never by `instanceof`. */
const BRAND: unique symbol = Symbol.for('ivit.error');

/** What an {@link ImageError} carries besides its message. */
export interface ImageErrorDetails {
  /** Which image, and where in it: a name the caller gave, a chunk, a byte offset. */
  readonly where?: string | undefined;
  /** What the user can do about it. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/** The error of this package: a stable `code` (`E_…`, listed in the README), what is wrong, where, and what to do. */
export class ImageError extends Error {
  readonly code: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly [BRAND] = true as const;

  constructor(code: string, message: string, details: ImageErrorDetails = {}) {
    const where = details.where === undefined ? '' : ` (${details.where})`;
    const hint = details.hint === undefined ? '' : ` ${details.hint}`;
    super(`${message}${where}.${hint}`, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = 'ImageError';
    this.code = code;
    this.where = details.where;
    this.hint = details.hint;
  }

  /** True for any error with the brand, also one of another copy of this package or of `@ivit/program`. */
  static isInstance(error: unknown): error is ImageError {
    return typeof error === 'object' && error !== null && BRAND in error;
  }
}

/** A file that says something impossible, or ends too early. `where` is the caller's name of the image. */
export function corrupt(message: string, where: string | undefined, cause?: unknown): ImageError {
  return new ImageError('E_IMAGE_CORRUPT', message, {
    where,
    hint: 'The file is damaged or incomplete: get it again, or save it anew.',
    ...(cause === undefined ? {} : { cause }),
  });
}
