/**
 * Decoders: each takes an unknown value and gives it back as a fresh, typed one, or reports the path of what is wrong.
 * They are put together into the table of `schema.ts`, whose types make a forgotten or superfluous field a compile
 * error.
 */

/** Reports what is wrong at a path such as `ops[12].m`; throws. */
export type Fail = (code: string, message: string, path: Path) => never;

/** Undefined where nobody asks what is wrong: writing the paths of thousands of fields takes longer than their checks. */
export type Path = string | undefined;

export type Decoder<T> = (value: unknown, path: Path, fail: Fail) => T;

/** Marks a field that may be absent. */
export interface Optional<T> {
  readonly optional: Decoder<T>;
}

/** One decoder per field of T, optional exactly where T's field is. */
export type Row<T> = {
  readonly [K in keyof T]-?: Record<never, never> extends Pick<T, K>
    ? Optional<Exclude<T[K], undefined>>
    : Decoder<T[K]>;
};

export function optional<T>(decoder: Decoder<T>): Optional<T> {
  return { optional: decoder };
}

/** A value as a message may show it. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  if (Object.is(value, -0)) return '-0';
  return String(value);
}

function wrongType(wanted: string, value: unknown, path: Path, fail: Fail): never {
  return fail('E_PROGRAM_TYPE', `expected ${wanted}, found ${show(value)}`, path);
}

/** An integer of lo … hi; minus zero is none. */
export function integer(lo = -Number.MAX_SAFE_INTEGER, hi: number = Number.MAX_SAFE_INTEGER): Decoder<number> {
  return (value, path, fail) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || Object.is(value, -0)) {
      return wrongType('an integer', value, path, fail);
    }
    if (value < lo || value > hi) fail('E_PROGRAM_PARAMETER', `${value} is not in ${lo}…${hi}`, path);
    return value;
  };
}

/** Well-formed text of at most `max` UTF-16 units. */
export function text(max: number): Decoder<string> {
  return (value, path, fail) => {
    if (typeof value !== 'string') return wrongType('a string', value, path, fail);
    if (value.length > max) fail('E_PROGRAM_LIMIT', `a string has ${value.length} characters, at most ${max} go`, path);
    // With the u flag a surrogate matches only where it stands alone.
    if (/\p{Surrogate}/u.test(value)) fail('E_PROGRAM_TYPE', 'a string holds half of a surrogate pair', path);
    return value;
  };
}

/** Text that matches a pattern. */
export function pattern(regexp: RegExp, wanted: string, code = 'E_PROGRAM_TYPE'): Decoder<string> {
  return (value, path, fail) => {
    if (typeof value !== 'string') return wrongType(wanted, value, path, fail);
    if (!regexp.test(value)) fail(code, `${show(value)} is not ${wanted}`, path);
    return value;
  };
}

/** One of a few strings or integers. */
export function choice<const T extends string | number>(...options: readonly T[]): Decoder<T> {
  const wanted = options.map((option) => JSON.stringify(option)).join(' or ');
  return (value, path, fail) => {
    const found = options.find((option) => option === value);
    return found === undefined ? wrongType(wanted, value, path, fail) : found;
  };
}

export function list<T>(item: Decoder<T>, max: number): Decoder<readonly T[]> {
  return (value, path, fail) => {
    if (!Array.isArray(value)) return wrongType('an array', value, path, fail);
    if (value.length > max) fail('E_PROGRAM_LIMIT', `${value.length} items, at most ${max} go`, path);
    // Array.from, not map: a hole is undefined and fails.
    return Array.from(value, (entry: unknown, index) =>
      item(entry, path === undefined ? undefined : `${path}[${index}]`, fail),
    );
  };
}

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !ArrayBuffer.isView(value);
}

export function members(value: unknown, path: Path, fail: Fail): Members {
  return isMembers(value) ? value : wrongType('an object', value, path, fail);
}

/** An object of any names, each checked by `key`, as an object without a prototype. */
export function dictionary<T>(
  key: Decoder<string>,
  item: Decoder<T>,
  max: number,
): Decoder<Readonly<Record<string, T>>> {
  return (value, path, fail) => {
    const source = members(value, path, fail);
    const names = Object.keys(source);
    if (names.length > max) fail('E_PROGRAM_LIMIT', `${names.length} members, at most ${max} go`, path);
    const result: Record<string, T> = Object.create(null);
    for (const name of names) {
      const place = join(path, name);
      result[key(name, place, fail)] = item(source[name], place, fail);
    }
    return result;
  };
}

/** An object with exactly the fields of a row. */
export function fields<T extends object>(row: Row<T>): Decoder<T> {
  const entries: readonly (readonly [string, Decoder<unknown> | Optional<unknown>])[] = Object.entries(row);
  return (value, path, fail) => {
    const source = members(value, path, fail);
    for (const name of Object.keys(source)) {
      if (!Object.hasOwn(row, name)) fail('E_PROGRAM_FIELD', `unknown field ${show(name)}`, join(path, name));
    }
    const result: Record<string, unknown> = {};
    for (const [name, entry] of entries) {
      const place = join(path, name);
      const required = typeof entry === 'function';
      if (Object.hasOwn(source, name)) result[name] = (required ? entry : entry.optional)(source[name], place, fail);
      else if (required) fail('E_PROGRAM_FIELD', `the field ${name} is missing`, place);
    }
    // Each field of the row was decoded to its type, and the row has every field of T.
    return result as T;
  };
}

/** The decoder of the first listed field that the object has. */
export function byField<T>(alternatives: Readonly<Record<string, Decoder<T>>>): Decoder<T> {
  const wanted = Object.keys(alternatives).join(' or ');
  return (value, path, fail) => {
    const source = members(value, path, fail);
    for (const [name, decode] of Object.entries(alternatives)) {
      if (Object.hasOwn(source, name)) return decode(value, path, fail);
    }
    return fail('E_PROGRAM_FIELD', `one of the fields ${wanted} is needed`, path);
  };
}

/** The path of a member, of whose name it shows the beginning. */
export function join(path: Path, name: string): Path {
  if (path === undefined) return undefined;
  return path === '' ? name.slice(0, 60) : `${path}.${name.slice(0, 60)}`;
}
