import { archiveOf, type Sample } from './samples.js';

/** Uniform integers of 0 … bound - 1. */
export type Random = (bound: number) => number;

/** xorshift32 from a seed and a case's number: a case can be repeated alone. */
export function caseRandom(seed: number, index: number): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)) | 1;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  for (let round = 0; round < 4; round += 1) next();
  return (bound) => next() % bound;
}

export interface Mutation {
  readonly kind: string;
  readonly file: Buffer;
  /** Whether the archive's checksums were made to fit: then nothing tells that a content has changed. */
  readonly refitted: boolean;
}

const OPCODES = Buffer.from('(.0 1FGIJKLMNPQRSTUVX2]abcdeghijloprqstu})', 'latin1');

/** Pieces of pickles that lead a reader astray. */
const SNIPPETS = [
  'cos\nsystem\n',
  'cbuiltins\neval\n',
  'X\u0002\u0000\u0000\u0000id\u0085R',
  '\u0093',
  '\u0094',
  ']q\u0000h\u0000a',
  '}q\u0001h\u0001h\u0001s',
  'J\u0000\u0000\u0000\u0080',
  'J\u00ff\u00ff\u00ff\u007f',
  '\u008a\u00ff',
  '\u008b\u00ff\u00ff\u00ff\u007f',
  'X\u00ff\u00ff\u00ff\u00ff',
  '((((((((',
  ')\u0085\u0085\u0085\u0085',
  '\u0095\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff\u00ff',
  'ctorch\nSize\n',
  'ccollections\nOrderedDict\n)R',
  'ctorch._utils\n_rebuild_tensor_v2\n',
  'ctorch\nLongStorage\n',
].map((snippet) => Buffer.from(snippet, 'latin1'));

const NUMBERS = [0, 1, 2, 3, 7, 8, 0x7f, 0xff, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff];
const SIGNATURES = [
  'PK\u0001\u0002',
  'PK\u0003\u0004',
  'PK\u0005\u0006',
  'PK\u0006\u0006',
  'PK\u0006\u0007',
  'PK\u0007\u0008',
];

function flip(bytes: Buffer, random: Random): Buffer {
  const out = Buffer.from(bytes);
  for (let count = 1 + random(4); count > 0 && out.length > 0; count -= 1) {
    const at = random(out.length);
    out[at] = (out[at] as number) ^ (1 + random(255));
  }
  return out;
}

function splice(bytes: Buffer, random: Random): Buffer {
  const length = 1 + random(random(2) === 0 ? 16 : 200);
  const from = random(bytes.length);
  const to = random(bytes.length);
  const piece = bytes.subarray(from, from + length);
  if (random(3) === 0) return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)]);
  if (random(2) === 0) return Buffer.concat([bytes.subarray(0, to), piece, bytes.subarray(to)]);
  const out = Buffer.from(bytes);
  piece.copy(out, to);
  return out;
}

function pickleBytes(bytes: Buffer, random: Random): Buffer {
  let out = bytes;
  for (let count = 1 + random(3); count > 0; count -= 1) {
    const at = random(out.length);
    const choice = random(5);
    if (choice === 0) out = splice(out, random);
    else if (choice === 1) {
      const snippet = SNIPPETS[random(SNIPPETS.length)] as Buffer;
      out = Buffer.concat([out.subarray(0, at), snippet, out.subarray(at)]);
    } else {
      out = Buffer.from(out);
      if (choice === 2) out[at] = OPCODES[random(OPCODES.length)] as number;
      else if (choice === 3) out[at] = 0x80 + random(0x19);
      else if (at + 4 <= out.length) out.writeUInt32LE(NUMBERS[random(NUMBERS.length)] as number, at);
    }
  }
  return out;
}

/** One or two fields of the archive's records replaced. */
function records(file: Buffer, random: Random): Buffer {
  const out = Buffer.from(file);
  for (let count = 1 + random(2); count > 0; count -= 1) {
    const signature = SIGNATURES[random(SIGNATURES.length)] as string;
    const found = out.indexOf(signature, random(out.length), 'latin1');
    const record = found >= 0 ? found : out.lastIndexOf(signature, undefined, 'latin1');
    if (record < 0) continue;
    const at = Math.min(record + 2 * random(28), out.length - 4);
    const value = random(3) === 0 ? out.readUInt32LE(at) + random(5) - 2 : (NUMBERS[random(NUMBERS.length)] as number);
    if (random(2) === 0) out.writeUInt16LE(value & 0xffff, at);
    else out.writeUInt32LE(value >>> 0, at);
  }
  return out;
}

/** Members renamed, doubled, dropped, swapped or changed, in an archive that fits them. */
function members(sample: Sample, random: Random): Buffer {
  const list = [...sample.members];
  const at = random(list.length);
  const chosen = list[at] as Sample['members'][number];
  const other = list[random(list.length)] as Sample['members'][number];
  const names = [
    '../x',
    '/x',
    'c\\x',
    'x/data.pkl',
    'c/data/0',
    'c/constants.pkl',
    '',
    'c/\u0000',
    chosen.name.toUpperCase(),
  ];
  switch (random(5)) {
    case 0:
      list.splice(at, 1);
      break;
    case 1:
      list.push(chosen);
      break;
    case 2:
      list[at] = { name: names[random(names.length)] as string, bytes: chosen.bytes };
      break;
    case 3:
      list[at] = { name: chosen.name, bytes: other.bytes };
      break;
    default:
      list[at] = {
        name: chosen.name,
        bytes: splice(chosen.bytes.length > 0 ? chosen.bytes : Buffer.from('x'), random),
      };
  }
  return archiveOf(list);
}

/** The mutation of one case. */
export function mutate(sample: Sample, random: Random): Mutation {
  switch (random(6)) {
    case 0:
      return { kind: 'flip', file: flip(sample.file, random), refitted: false };
    case 1:
      return { kind: 'truncate', file: sample.file.subarray(0, random(sample.file.length)), refitted: false };
    case 2:
      return { kind: 'splice', file: splice(sample.file, random), refitted: false };
    case 3:
      return { kind: 'records', file: records(sample.file, random), refitted: false };
    case 4:
      return { kind: 'members', file: members(sample, random), refitted: true };
    default: {
      const list = sample.members.map((member) =>
        member.name.endsWith('data.pkl') ? { ...member, bytes: pickleBytes(member.bytes, random) } : member,
      );
      return { kind: 'pickle', file: archiveOf(list), refitted: true };
    }
  }
}
