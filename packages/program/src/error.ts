/** Brand that survives duplicated installs: recognize errors by it, never by `instanceof`. */
const BRAND: unique symbol = Symbol.for('ivit.error');

/** What an {@link IvitError} carries besides its message. */
export interface IvitErrorDetails {
  /** Where it is: a tensor, op, file and byte offset, option name. */
  readonly where?: string;
  /** What the user can do about it. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The error of every package above `program`: a stable `code` (`E_…`), what is wrong, where, and what to do.
 */
export class IvitError extends Error {
  readonly code: string;
  /** What is wrong, without where and hint. */
  readonly problem: string;
  readonly where: string | undefined;
  readonly hint: string | undefined;
  readonly [BRAND] = true as const;

  constructor(code: string, message: string, details: IvitErrorDetails = {}) {
    const where = details.where === undefined ? '' : ` (${details.where})`;
    const hint = details.hint === undefined ? '' : ` ${details.hint}`;
    super(`${message}${where}.${hint}`, 'cause' in details ? { cause: details.cause } : undefined);
    this.name = 'IvitError';
    this.code = code;
    this.problem = message;
    this.where = details.where;
    this.hint = details.hint;
  }

  static isInstance(error: unknown): error is IvitError {
    return typeof error === 'object' && error !== null && BRAND in error;
  }
}
