import { IvitError } from '@ivit/program';

/** A parsed JSON object of a configuration file: read by own keys only, each with its type checked. */
export interface JsonObject {
  /** File and path inside it, for errors. */
  readonly where: string;
  readonly entries: ReadonlyMap<string, unknown>;
}

function refuse(where: string, what: string): never {
  throw new IvitError('E_MODEL_CONFIG', what, { where, hint: 'Take the file that was published with the weights.' });
}

function asEntries(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(where, 'this is no JSON object');
  return { where, entries: new Map(Object.entries(value)) };
}

/**
 * @throws IvitError `E_MODEL_CONFIG` when the bytes are no UTF-8 JSON object.
 */
export function parseJsonObject(bytes: Uint8Array, where: string): JsonObject {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (cause) {
    throw new IvitError('E_MODEL_CONFIG', 'this is no UTF-8 JSON', {
      where,
      hint: 'Take the file that was published with the weights.',
      cause,
    });
  }
  return asEntries(value, where);
}

export const EMPTY_OBJECT: JsonObject = { where: 'no configuration file', entries: new Map() };

/** The entry, or undefined where it is absent or null. */
function entry(object: JsonObject, key: string): unknown {
  return object.entries.get(key) ?? undefined;
}

export function hasKey(object: JsonObject, key: string): boolean {
  return entry(object, key) !== undefined;
}

function place(object: JsonObject, key: string): string {
  return `${object.where}: ${key}`;
}

export function objectAt(object: JsonObject, key: string): JsonObject | undefined {
  const value = entry(object, key);
  return value === undefined ? undefined : asEntries(value, place(object, key));
}

export function numberAt(object: JsonObject, key: string): number | undefined {
  const value = entry(object, key);
  if (value === undefined) return undefined;
  return typeof value === 'number' && Number.isFinite(value)
    ? value
    : refuse(place(object, key), 'this must be a number');
}

/** A positive integer below 2^31. */
export function sizeAt(object: JsonObject, key: string): number | undefined {
  const value = numberAt(object, key);
  if (value === undefined) return undefined;
  return Number.isInteger(value) && value > 0 && value < 2 ** 31
    ? value
    : refuse(place(object, key), `this must be a positive integer, not ${value}`);
}

/**
 * A positive integer, or two equal ones (height, width).
 *
 * @throws IvitError `E_MODEL_UNSUPPORTED` where the two differ.
 */
export function squareAt(object: JsonObject, key: string): number | undefined {
  if (!Array.isArray(entry(object, key))) return sizeAt(object, key);
  const [height, width, ...others] = numbersAt(object, key) ?? [];
  if (height === undefined || width === undefined || others.length > 0 || !Number.isInteger(height) || height <= 0) {
    return refuse(place(object, key), 'this must be a positive integer, or height and width');
  }
  if (height === width) return height;
  throw new IvitError('E_MODEL_UNSUPPORTED', `${height}x${width} is no square`, {
    where: place(object, key),
    hint: 'Models of square images are supported.',
  });
}

export function stringAt(object: JsonObject, key: string): string | undefined {
  const value = entry(object, key);
  if (value === undefined) return undefined;
  return typeof value === 'string' ? value : refuse(place(object, key), 'this must be a string');
}

export function booleanAt(object: JsonObject, key: string): boolean | undefined {
  const value = entry(object, key);
  if (value === undefined) return undefined;
  return typeof value === 'boolean' ? value : refuse(place(object, key), 'this must be true or false');
}

export function numbersAt(object: JsonObject, key: string): readonly number[] | undefined {
  const value = entry(object, key);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return refuse(place(object, key), 'this must be a list of numbers');
  const numbers: number[] = [];
  for (const item of value) {
    if (typeof item !== 'number' || !Number.isFinite(item))
      refuse(place(object, key), 'this must be a list of numbers');
    numbers.push(item);
  }
  return numbers;
}

/** Three numbers, one per color. */
export function colorsAt(object: JsonObject, key: string): readonly [number, number, number] | undefined {
  const values = numbersAt(object, key);
  if (values === undefined) return undefined;
  const [red, green, blue] = values;
  if (red === undefined || green === undefined || blue === undefined || values.length !== 3) {
    return refuse(place(object, key), 'this must be three numbers, one per color');
  }
  return [red, green, blue];
}

export function stringsAt(object: JsonObject, key: string): readonly string[] | undefined {
  const value = entry(object, key);
  if (value === undefined) return undefined;
  if (!Array.isArray(value)) return refuse(place(object, key), 'this must be a list of strings');
  const strings: string[] = [];
  for (const item of value) {
    if (typeof item !== 'string') refuse(place(object, key), 'this must be a list of strings');
    strings.push(item);
  }
  return strings;
}
