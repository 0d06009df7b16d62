/**
 * A strict JSON reader over UTF-8 bytes, driven by the caller: it accepts exactly what the caller's grammar asks for
 * next, so a hostile text is refused at its first wrong byte, and nothing is built that was not asked for.
 *
 * Stricter than RFC 8259 where a looser reading has no honest use: keys are unique and are never names that objects
 * inherit from, numbers are integers that a double holds exactly, strings are well-formed Unicode.
 */

import { putCodePoint } from './utf8.js';

/** What was wrong, for the caller to turn into its own coded error. */
export type JsonFault = 'syntax' | 'utf8' | 'duplicate' | 'name' | 'integer' | 'limit';

/** Reports a fault at a byte index of the text; throws. */
export type JsonFail = (fault: JsonFault, message: string, at: number) => never;

export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'true' | 'false' | 'null';

export interface JsonCursor {
  /** Byte index of the next token. */
  readonly position: () => number;
  /** Kind of the next value, judged by its first byte. */
  readonly kind: () => JsonKind;
  /** Reads an object; `member` must read the value of its key. */
  readonly object: (maxMembers: number, member: (key: string, at: number) => void) => void;
  /** Reads an array; `item` must read one value. */
  readonly array: (maxItems: number, item: (index: number) => void) => void;
  /** Reads a string of at most `maxBytes` bytes of text. */
  readonly string: (maxBytes: number) => string;
  /** Reads an integer in ±(2^53 - 1). */
  readonly integer: () => number;
  /** Reads `true`, `false` or `null`. */
  readonly literal: () => boolean | null;
  /** Nothing but white space may follow. */
  readonly end: () => void;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** What a string may hold as it is: ASCII without quote, backslash and controls. Only ever used from its `lastIndex`. */
const PLAIN = /[ !#-[\]-\x7f]*/y;

/** Longest key of any object, in bytes of text. */
export const MAX_KEY_BYTES = 4096;

/** Keys that would reach the prototype of a plain object. */
export const RESERVED_KEYS: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/** One-letter escapes, as in RFC 8259 section 7. */
const SHORT_ESCAPES: ReadonlyMap<number, number> = new Map([
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

/** A name as it may be shown in a message: quoted, escaped, at most 100 characters of it. */
export function quoteName(name: string): string {
  return name.length <= 100
    ? JSON.stringify(name)
    : `${JSON.stringify(name.slice(0, 100))}… (${name.length} characters)`;
}

/** ASCII between quotes as the engine reads it: a program's JSON is one string of 10^5 escapes. Undefined if we read it ourselves. */
function engineString(characters: string): string | undefined {
  // Half surrogates can only come from such an escape, or what only looks like one.
  if (characters.includes('\\u')) return undefined;
  try {
    const text: unknown = JSON.parse(`"${characters}"`);
    return typeof text === 'string' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** A cursor at the start of `bytes`, which must stay unchanged while it is used. */
export function createJsonCursor(bytes: Uint8Array, fail: JsonFail): JsonCursor {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  // One character per byte, the right one below 0x80: most strings are slices of it, which costs less than decoding each.
  const characters = new TextDecoder('latin1').decode(bytes);
  const length = bytes.length;
  let at = 0;

  const skipWhiteSpace = (): void => {
    while (at < length) {
      const byte = bytes[at] as number;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      at += 1;
    }
  };

  const describe = (index: number): string => {
    if (index >= length) return 'the end of the text';
    const byte = bytes[index] as number;
    return byte > 0x20 && byte < 0x7f
      ? `'${String.fromCharCode(byte)}'`
      : `byte 0x${byte.toString(16).padStart(2, '0')}`;
  };

  const unexpected = (wanted: string): never => fail('syntax', `expected ${wanted}, found ${describe(at)}`, at);

  const expect = (byte: number): void => {
    skipWhiteSpace();
    if (at >= length || bytes[at] !== byte) unexpected(`'${String.fromCharCode(byte)}'`);
    at += 1;
  };

  const hexUnit = (start: number): number => {
    let unit = 0;
    for (let index = start; index < start + 4; index += 1) {
      const byte = index < length ? (bytes[index] as number) : 0;
      const lower = byte | 0x20;
      let digit = -1;
      if (byte >= ZERO && byte <= NINE) digit = byte - ZERO;
      else if (lower >= 0x61 && lower <= 0x66) digit = lower - 0x61 + 10;
      if (digit < 0) fail('syntax', `expected four hexadecimal digits, found ${describe(index)}`, index);
      unit = unit * 16 + digit;
    }
    return unit;
  };

  /** Resolves the escapes of bytes[start, end); an escape is never shorter than the UTF-8 it stands for. */
  const resolveEscapes = (start: number, end: number): Uint8Array => {
    const text = new Uint8Array(end - start);
    let size = 0;
    let index = start;
    while (index < end) {
      const byte = bytes[index] as number;
      if (byte !== BACKSLASH) {
        text[size] = byte;
        size += 1;
        index += 1;
        continue;
      }
      const letter = bytes[index + 1] as number;
      const short = SHORT_ESCAPES.get(letter);
      if (short !== undefined) {
        text[size] = short;
        size += 1;
        index += 2;
        continue;
      }
      if (letter !== 0x75) fail('syntax', `unknown escape, found ${describe(index + 1)}`, index + 1);
      const unit = hexUnit(index + 2);
      let codePoint = unit;
      let next = index + 6;
      if (unit >= 0xd800 && unit <= 0xdfff) {
        const paired = unit < 0xdc00 && bytes[next] === BACKSLASH && bytes[next + 1] === 0x75;
        const low = paired ? hexUnit(next + 2) : 0;
        if (low < 0xdc00 || low > 0xdfff) fail('utf8', 'half of a surrogate pair stands alone', index);
        codePoint = 0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00);
        next += 6;
      }
      size = putCodePoint(text, size, codePoint);
      index = next;
    }
    return text.subarray(0, size);
  };

  const string = (maxBytes: number): string => {
    skipWhiteSpace();
    if (at >= length || bytes[at] !== QUOTE) unexpected('a string');
    const start = at + 1;
    let end = start;
    let escaped = false;
    let wide = false;
    if (start < length) {
      // One jump over what most strings are all of; what follows an escape goes byte by byte, which is faster for many.
      PLAIN.lastIndex = start;
      PLAIN.test(characters);
      end = PLAIN.lastIndex;
      if (end - start > maxBytes) fail('limit', `a string is longer than ${maxBytes} bytes`, start - 1);
    }
    for (;;) {
      if (end >= length) fail('syntax', 'a string has no end', start - 1);
      const byte = bytes[end] as number;
      if (byte === QUOTE) break;
      if (byte < 0x20) fail('syntax', `control character ${describe(end)} inside a string`, end);
      if (byte === BACKSLASH) {
        escaped = true;
        end += 1;
      }
      wide ||= byte >= 0x80;
      end += 1;
      if (end - start > maxBytes) fail('limit', `a string is longer than ${maxBytes} bytes`, start - 1);
    }
    at = end + 1;
    if (!wide && !escaped) return characters.slice(start, end);
    if (escaped && !wide) {
      const text = engineString(characters.slice(start, end));
      if (text !== undefined) return text;
    }
    const text = escaped ? resolveEscapes(start, end) : bytes.subarray(start, end);
    try {
      return decoder.decode(text);
    } catch {
      return fail('utf8', 'a string is not valid UTF-8', start - 1);
    }
  };

  const integer = (): number => {
    skipWhiteSpace();
    const start = at;
    let index = at;
    if (index < length && bytes[index] === MINUS) index += 1;
    const digits = index;
    let value = 0;
    while (index < length) {
      const byte = bytes[index] as number;
      if (byte < ZERO || byte > NINE) break;
      // Stays > 2^53 once it is: rounding is monotone, and at most 17 digits are added up.
      if (index - digits < 17) value = value * 10 + (byte - ZERO);
      index += 1;
    }
    if (index === digits) unexpected('an integer');
    const follower = index < length ? (bytes[index] as number) | 0x20 : 0;
    // '.' | 0x20 is '.' itself, 'e' and 'E' both give 'e'.
    if (follower === 0x2e || follower === 0x65) fail('integer', 'a number is not written as an integer', start);
    if (index - digits > 1 && bytes[digits] === ZERO) fail('syntax', 'a number has a leading zero', start);
    if (index - digits > 16 || value > Number.MAX_SAFE_INTEGER) fail('integer', 'an integer is beyond 2^53 - 1', start);
    if (digits !== start && value === 0) fail('integer', 'minus zero is not an integer', start);
    at = index;
    return digits === start ? value : -value;
  };

  /** Reads members or items up to the closing byte, at least the separators between them. */
  const sequence = (open: number, close: number, max: number, what: string, read: (index: number) => void): void => {
    expect(open);
    skipWhiteSpace();
    if (at < length && bytes[at] === close) {
      at += 1;
      return;
    }
    for (let index = 0; ; index += 1) {
      skipWhiteSpace();
      if (index >= max) fail('limit', `more than ${max} ${what}`, at);
      read(index);
      skipWhiteSpace();
      const byte = at < length ? bytes[at] : 0;
      if (byte !== close && byte !== 0x2c) unexpected(`',' or '${String.fromCharCode(close)}'`);
      at += 1;
      if (byte === close) return;
    }
  };

  const literal = (): boolean | null => {
    skipWhiteSpace();
    for (const [text, value] of LITERALS) {
      let matched = 0;
      while (matched < text.length && bytes[at + matched] === text.charCodeAt(matched)) matched += 1;
      if (matched < text.length) continue;
      at += matched;
      return value;
    }
    return unexpected('true, false or null');
  };

  return {
    position: () => {
      skipWhiteSpace();
      return at;
    },
    kind: () => {
      skipWhiteSpace();
      const byte = at < length ? (bytes[at] as number) : 0;
      if (byte === 0x7b) return 'object';
      if (byte === 0x5b) return 'array';
      if (byte === QUOTE) return 'string';
      if (byte === MINUS || (byte >= ZERO && byte <= NINE)) return 'number';
      if (byte === 0x74) return 'true';
      if (byte === 0x66) return 'false';
      if (byte === 0x6e) return 'null';
      return unexpected('a value');
    },
    object: (maxMembers, member) => {
      const keys = new Set<string>();
      sequence(0x7b, 0x7d, maxMembers, 'members in an object', () => {
        const start = at;
        const key = string(MAX_KEY_BYTES);
        if (RESERVED_KEYS.has(key)) fail('name', `the key ${quoteName(key)} is not allowed`, start);
        if (keys.has(key)) fail('duplicate', `the key ${quoteName(key)} occurs twice in one object`, start);
        keys.add(key);
        expect(0x3a);
        member(key, start);
      });
    },
    array: (maxItems, item) => sequence(0x5b, 0x5d, maxItems, 'items in an array', item),
    string,
    integer,
    literal,
    end: () => {
      skipWhiteSpace();
      if (at < length) unexpected('nothing more');
    },
  };
}

const LITERALS: readonly (readonly [string, boolean | null])[] = [
  ['true', true],
  ['false', false],
  ['null', null],
];
