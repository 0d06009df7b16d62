import { readProgram, writeProgram } from '@ivit/formats/program';
import {
  readSafetensors,
  type SafetensorsFile,
  type TensorSource,
  toFloat32,
  toIntegers,
  writeSafetensors,
} from '@ivit/formats/safetensors';
import { IvitError } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { sampleProgram } from './sample-program.js';

/** Uniform integers of 0 … bound - 1 from a 32-bit seed (xorshift32). */
function createRandom(seed: number): (bound: number) => number {
  let state = seed | 0;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % bound;
  };
}

/** Pieces that lead a parser astray. */
const TOKENS = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '\\u0000',
    '\\ud800',
    '""',
    '{}',
    '[]',
    'null',
    'true',
    '-1',
    '-0',
    '1e9',
  ],
  ...['0.5', '00', '9007199254740993', '18446744073709551616', '"__proto__":', '"constructor":', '"__metadata__":{}'],
  ...[
    '"F32"',
    '"I64"',
    '"BOOL"',
    '"data_offsets"',
    '"shape"',
    '"op":"mean"',
    '\u0000',
    ' ',
    '\n',
    '\xff\xfe',
    '\xed\xa0\x80',
  ],
].map((token) => Uint8Array.from(token, (character) => character.charCodeAt(0)));

function splice(bytes: Uint8Array, start: number, removed: number, inserted: Uint8Array): Uint8Array {
  const result = new Uint8Array(bytes.length - removed + inserted.length);
  result.set(bytes.subarray(0, start), 0);
  result.set(inserted, start);
  result.set(bytes.subarray(start + removed), start + inserted.length);
  return result;
}

/** One random change; changes of the header's length are followed by its length field three times out of four. */
function mutate(bytes: Uint8Array, random: (bound: number) => number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  if (copy.length < 9) return copy;
  const headerLength = Math.min(new DataView(copy.buffer).getUint32(0, true), copy.length - 8);
  // Mostly inside the header, where the claims are.
  const at = random(4) === 0 ? random(copy.length) : 8 + random(headerLength);
  const room = copy.length - at;
  const spliced = (removed: number, inserted: Uint8Array): Uint8Array => {
    const result = splice(copy, at, removed, inserted);
    if (at >= 8 && random(4) !== 0) {
      const change = result.length - copy.length;
      new DataView(result.buffer).setUint32(0, Math.max(0, headerLength + change), true);
    }
    return result;
  };
  switch (random(9)) {
    case 0:
      copy[at] = (copy[at] as number) ^ (1 << random(8));
      return copy;
    case 1:
      copy[at] = random(256);
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return spliced(Math.min(room, 1 + random(20)), new Uint8Array(0));
    case 4:
      return spliced(0, TOKENS[random(TOKENS.length)] as Uint8Array);
    case 5: {
      const token = TOKENS[random(TOKENS.length)] as Uint8Array;
      return spliced(Math.min(room, token.length), token);
    }
    case 6:
      return spliced(0, copy.subarray(at, at + Math.min(room, 1 + random(80))));
    case 7: {
      // A digit of a number becomes another one.
      for (let index = at; index < 8 + headerLength; index += 1) {
        const byte = copy[index] as number;
        if (byte < 0x30 || byte > 0x39) continue;
        copy[index] = 0x30 + random(10);
        break;
      }
      return copy;
    }
    default:
      copy[random(8)] = random(2) === 0 ? random(256) : 0;
      return copy;
  }
}

const TENSORS: readonly TensorSource[] = [
  { name: 'half', dtype: 'F16', shape: [3], bytes: Uint8Array.of(0, 60, 255, 127, 1, 0) },
  { name: 'bool', dtype: 'BOOL', shape: [2], bytes: Uint8Array.of(0, 1) },
  { name: 'long', dtype: 'I64', shape: [1, 1], bytes: Uint8Array.of(1, 0, 0, 0, 0, 0, 1, 0) },
  { name: 'none', dtype: 'BF16', shape: [0, 7], bytes: new Uint8Array(0) },
  { name: 'scalar', dtype: 'F64', shape: [], bytes: new Uint8Array(8) },
];

/** Milliseconds of processor time of this process: other work on the machine is not in it. */
function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** What must hold of a file that was accepted, found without the reader's own code. */
function checkAccepted(bytes: Uint8Array, file: SafetensorsFile): void {
  const headerLength = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(8, 8 + headerLength));
  const { __metadata__: metadata = {}, ...entries } = JSON.parse(text);
  expect({ ...file.metadata }).toStrictEqual(metadata);
  expect([...file.tensors.keys()].sort()).toStrictEqual(Object.keys(entries).sort());
  const owners = new Uint8Array(bytes.length - 8 - headerLength);
  for (const { name, dtype, shape, offset, bytes: content } of file.tensors.values()) {
    const begin = offset - 8 - headerLength;
    const { dtype: statedType, shape: statedShape, data_offsets: stated } = entries[name];
    const same = dtype === statedType && String(shape) === String(statedShape);
    if (!same || String(stated) !== String([begin, begin + content.length]))
      throw new Error(`${name} is not as stated`);
    for (let index = begin; index < begin + content.length; index += 1) owners[index] = (owners[index] as number) + 1;
  }
  expect(owners.every((count) => count === 1)).toBe(true);
}

/** Runs `read`; an error must be coded. Gives the code, or undefined. */
function codeOf(read: () => void): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    if (!IvitError.isInstance(error)) throw error;
    if (error.where === undefined) throw new Error(`${error.code} names no place`);
    return error.code;
  }
}

describe('10,000 mutations of small files', () => {
  it('give an IvitError or a file that holds what it says, in bounded time', { timeout: 60_000 }, () => {
    const seeds = [writeSafetensors(TENSORS, { format: 'pt', note: 'a "b" é' }), writeProgram(sampleProgram())];
    const random = createRandom(0x1f2e3d4c);
    const counts = new Map<string, number>();
    const start = processorTime();
    let slowest = 0;
    for (let round = 0; round < 10_000; round += 1) {
      let bytes: Uint8Array = seeds[round % seeds.length] as Uint8Array;
      for (let changes = 1 + random(3); changes > 0; changes -= 1) bytes = mutate(bytes, random);
      const began = processorTime();
      const container = codeOf(() => {
        const file = readSafetensors(bytes);
        checkAccepted(bytes, file);
        for (const tensor of file.tensors.values()) {
          codeOf(() => toFloat32(tensor));
          codeOf(() => toIntegers(tensor));
        }
      });
      const program = codeOf(() => {
        const read = readProgram(bytes);
        const again = readProgram(writeProgram(read));
        if (Buffer.compare(writeProgram(again), writeProgram(read)) !== 0) throw new Error('written differently');
      });
      if (container !== undefined && program !== container) throw new Error(`${container}, then ${program}`);
      slowest = Math.max(slowest, processorTime() - began);
      const outcome = program ?? 'program';
      counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    const elapsed = processorTime() - start;
    console.log(`${Math.round(elapsed)} ms, slowest ${Math.round(slowest)} ms`, Object.fromEntries([...counts].sort()));
    expect(elapsed).toBeLessThan(10_000);
    expect(slowest).toBeLessThan(1000);
    // The mutator reaches every kind of check, and good files as well.
    expect(counts.get('program')).toBeGreaterThan(50);
    expect(counts.size).toBeGreaterThan(18);
  });
});
