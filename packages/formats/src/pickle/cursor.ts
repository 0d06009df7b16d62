import type { PickleRefuse } from './bounds.js';

const CUT = 'The file is cut short or damaged: get it again and compare its sha256 with the one published.';

/** Longest module or name of a GLOBAL, in bytes. */
const MAX_NAME = 256;

/** Reads a pickle's operands; nothing beyond the end, no more than asked for. */
export interface PickleCursor {
  position: number;
  readonly byte: () => number;
  readonly uint16: () => number;
  readonly uint32: () => number;
  readonly int32: () => number;
  /** Big-endian, as pickles have it. */
  readonly float64: () => number;
  readonly bytes: (length: number) => Uint8Array;
  readonly text: (length: number) => string;
  /** A line of printable ASCII without its newline. */
  readonly line: () => string;
  /** Two's complement, little-endian; a number where it is exact. */
  readonly integer: (length: number) => number | bigint;
}

/** @throws whatever `refuse` throws: `E_PICKLE_TRUNCATED`, `E_PICKLE_TEXT` */
export function createPickleCursor(source: Uint8Array, refuse: PickleRefuse): PickleCursor {
  const view = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  function take(length: number): number {
    const at = cursor.position;
    if (length > source.length - at) {
      refuse('E_PICKLE_TRUNCATED', `${length} bytes are due, but only ${source.length - at} follow`, CUT);
    }
    cursor.position = at + length;
    return at;
  }

  const cursor: PickleCursor = {
    position: 0,
    byte: () => view.getUint8(take(1)),
    uint16: () => view.getUint16(take(2), true),
    uint32: () => view.getUint32(take(4), true),
    int32: () => view.getInt32(take(4), true),
    float64: () => view.getFloat64(take(8)),
    bytes: (length) => {
      const at = take(length);
      return source.slice(at, at + length);
    },
    text: (length) => {
      const at = take(length);
      try {
        return decoder.decode(source.subarray(at, at + length));
      } catch {
        return refuse('E_PICKLE_TEXT', 'a string is no UTF-8', CUT);
      }
    },
    line: () => {
      let line = '';
      for (;;) {
        const byte = view.getUint8(take(1));
        if (byte === 0x0a) return line;
        if (byte < 0x21 || byte > 0x7e) refuse('E_PICKLE_TEXT', 'a name holds a byte that no name has', CUT);
        if (line.length === MAX_NAME) refuse('E_PICKLE_LIMIT', `a name has more than ${MAX_NAME} bytes`, CUT);
        line += String.fromCharCode(byte);
      }
    },
    integer: (length) => {
      const at = take(length);
      let value = 0n;
      for (let index = length - 1; index >= 0; index -= 1) value = (value << 8n) | BigInt(view.getUint8(at + index));
      const signed = length === 0 ? 0n : BigInt.asIntN(8 * length, value);
      const near = Number(signed);
      return Number.isSafeInteger(near) ? near : signed;
    },
  };
  return cursor;
}
