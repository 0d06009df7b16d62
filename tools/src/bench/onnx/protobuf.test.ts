import { describe, expect, it } from 'vitest';
import { createMessage, encode } from './protobuf.js';
import { readFields } from './protobuf-reader.js';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('createMessage', () => {
  it("writes the examples of protobuf's encoding page", () => {
    expect(hex(encode(createMessage().integer(1, 150)))).toBe('089601');
    expect(hex(encode(createMessage().bytes(2, 'testing')))).toBe('120774657374696e67');
    expect(hex(encode(createMessage().message(3, createMessage().integer(1, 150))))).toBe('1a03089601');
  });

  it('writes negative integers as ten bytes and floats as four', () => {
    expect(hex(encode(createMessage().integer(1, -1)))).toBe('08ffffffffffffffffff01');
    expect(hex(encode(createMessage().float(2, 0.5)))).toBe('150000003f');
  });

  it('writes field numbers above 15 with two bytes', () => {
    expect(hex(encode(createMessage().integer(20, 2)))).toBe('a00102');
  });

  it('is read back as it was written', () => {
    const inner = createMessage().bytes(1, Uint8Array.of(1, 2)).integer(2, -123456789);
    const outer = readFields(
      encode(
        createMessage()
          .float(4, 1.5)
          .message(5, inner)
          .integer(6, 2 ** 40),
      ),
    );
    expect(outer.map(({ number }) => number)).toEqual([4, 5, 6]);
    expect(outer[0]?.value).toBe(1.5);
    expect(outer[2]?.value).toBe(2n ** 40n);
    const nested = outer[1]?.value;
    expect(nested instanceof Uint8Array ? readFields(nested) : []).toEqual([
      { number: 1, value: Uint8Array.of(1, 2) },
      { number: 2, value: -123456789n },
    ]);
  });
});

describe('readFields', () => {
  it('refuses what passes the end', () => {
    expect(() => readFields(Uint8Array.of(0x12, 5, 1))).toThrow(RangeError);
    expect(() => readFields(Uint8Array.of(0x08, 0x80))).toThrow(RangeError);
  });
});
