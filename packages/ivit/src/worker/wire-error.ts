import { IvitError } from '@ivit/program';
import type { WireError } from './messages.js';

function textOf(value: object, key: string): string | undefined {
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** An error as data, its code, place and hint kept. What is thrown and is no error becomes its text. */
export function packError(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const optional = {
    code: textOf(error, 'code'),
    problem: textOf(error, 'problem'),
    where: textOf(error, 'where'),
    hint: textOf(error, 'hint'),
    stack: error.stack,
    cause: error.cause === undefined ? undefined : String(error.cause),
  };
  const known = Object.entries(optional).filter(([, text]) => text !== undefined);
  return { name: error.name, message: error.message, ...Object.fromEntries(known) };
}

/** `(where).` and the hint are the message's own end where an error does not keep its problem apart. */
function problemOf({ message, problem, where, hint }: WireError): string {
  if (problem !== undefined) return problem;
  const end = `${where === undefined ? '' : ` (${where})`}.${hint === undefined ? '' : ` ${hint}`}`;
  return message.endsWith(end) ? message.slice(0, message.length - end.length) : message;
}

/**
 * The error again: an `IvitError` with the same code, message, place and hint where it had a code; its cause is there as
 * text. Its stack is the worker's.
 */
export function unpackError(wire: WireError): Error {
  const { code, where, hint, cause, stack } = wire;
  const reason = cause === undefined ? {} : { cause: new Error(cause) };
  const error =
    code === undefined
      ? new Error(wire.message, reason)
      : new IvitError(code, problemOf(wire), {
          ...(where === undefined ? {} : { where }),
          ...(hint === undefined ? {} : { hint }),
          ...reason,
        });
  error.name = wire.name;
  if (stack !== undefined) error.stack = stack;
  return error;
}
