import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { readTorch } from '@ivit/formats/torch';

/** A file of an archive. */
export interface Member {
  readonly name: string;
  readonly bytes: Buffer;
}

/** One checkpoint to mutate, whole and by its members. */
export interface Sample {
  readonly name: string;
  readonly file: Buffer;
  readonly members: readonly Member[];
}

const FLAGS = 0x0808;

function u16(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(2 * values.length);
  for (const [at, value] of values.entries()) out.writeUInt16LE(value & 0xffff, 2 * at);
  return out;
}

function u32(...values: readonly number[]): Buffer {
  const out = Buffer.alloc(4 * values.length);
  for (const [at, value] of values.entries()) out.writeUInt32LE(value >>> 0, 4 * at);
  return out;
}

/** An archive as `torch.save` lays it out: descriptors, padding to 64 bytes, a 64-bit end record. */
export function archiveOf(members: readonly Member[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of members) {
    const label = Buffer.from(name);
    const sums = u32(crc32(bytes), bytes.length, bytes.length);
    const padding = Buffer.alloc(4 + ((64 - ((offset + 34 + label.length) % 64)) % 64), 'Z');
    padding.write('FB', 0, 'latin1');
    padding.writeUInt16LE(padding.length - 4, 2);
    const head = Buffer.concat([Buffer.from('PK\u0003\u0004'), u16(0, FLAGS, 0), u32(0, 0, 0, 0)]);
    const piece = [head, u16(label.length, padding.length), label, padding, bytes, Buffer.from('PK\u0007\u0008'), sums];
    const record = [Buffer.from('PK\u0001\u0002'), u16(0, 0, FLAGS, 0), u32(0), sums, u16(label.length, 0, 0, 0, 0)];
    directory.push(...record, u32(0, offset), label);
    parts.push(...piece);
    offset += piece.reduce((sum, part) => sum + part.length, 0);
  }
  const central = Buffer.concat(directory);
  const count = members.length;
  const end64 = [Buffer.from('PK\u0006\u0006'), u32(44, 0), u16(0x31e, 45), u32(0, 0, count, 0, count, 0)];
  const locator = [Buffer.from('PK\u0006\u0007'), u32(0, offset + central.length, 0, 1)];
  const end = [Buffer.from('PK\u0005\u0006'), u16(0, 0, count, count), u32(central.length, offset), u16(0)];
  return Buffer.concat([...parts, central, ...end64, u32(central.length, 0, offset, 0), ...locator, ...end]);
}

/** Members of an archive that is known to be right: stored files, no comments. */
function membersOf(file: Buffer): Member[] {
  const members: Member[] = [];
  const end = file.lastIndexOf('PK\u0005\u0006', undefined, 'latin1');
  let at = file.readUInt32LE(end + 16);
  for (let index = file.readUInt16LE(end + 10); index > 0; index -= 1) {
    const size = file.readUInt32LE(at + 24);
    const header = file.readUInt32LE(at + 42);
    const length = file.readUInt16LE(at + 28);
    const start = header + 30 + file.readUInt16LE(header + 26) + file.readUInt16LE(header + 28);
    const name = file.toString('utf8', at + 46, at + 46 + length);
    members.push({ name, bytes: Buffer.from(file.subarray(start, start + size)) });
    at += 46 + length + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return members;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from('X'), u32(Buffer.byteLength(value)), Buffer.from(value)]);
}

function int(value: number): Buffer {
  return value < 256 ? Buffer.from([0x4b, value]) : Buffer.concat([Buffer.from('J'), u32(value)]);
}

/** A small checkpoint with a few of a sample's tensors, cut to six elements, in the two forms that training scripts write. */
function reduced(sample: Sample, resume: boolean): Sample {
  const entries = [...readTorch(sample.file).tensors.values()].filter(({ dtype }) => dtype === 'F32');
  const chosen = Array.from({ length: 5 }, (_, at) => entries[Math.floor((at * entries.length) / 5)]);
  const storages: Member[] = [];
  const items = chosen.flatMap((entry, at) => {
    if (entry === undefined) return [];
    const bytes = Buffer.from(entry.bytes.slice(0, 24));
    const length = bytes.length / 4;
    storages.push({ name: `c/data/${at}`, bytes });
    const shape = length === 6 ? [2, 3] : [length];
    const strides = length === 6 ? (at === 3 ? [1, 2] : [3, 1]) : [1];
    const storage = [text('storage'), 'ctorch\nFloatStorage\n', text(String(at)), text('cpu'), int(length), 'tQ'];
    const views = ['(', ...shape.map(int), 't(', ...strides.map(int), 't'];
    const hooks = ['\u0089', 'ccollections\nOrderedDict\n)R'];
    return [text(entry.name), 'ctorch._utils\n_rebuild_tensor_v2\n((', ...storage, int(0), ...views, ...hooks, 'tR'];
  });
  const state = ['ccollections\nOrderedDict\n)Rq\u0001(', ...items, 'u}', text('_metadata'), '}sb'];
  const namespace = [
    'cargparse\nNamespace\n)\u0081}(',
    text('lr'),
    'G?PbM\u00d2\u00f1\u00a9\u00fc',
    text('names'),
    '](NKa\u0089eub',
  ];
  const more = [text('epoch'), int(300), text('args'), ...namespace, text('again'), 'h\u0001', text('model')];
  const body = resume ? ['}(', ...more, ...state, 'u'] : state;
  // The memo of the resume form is set by the arguments, before the state dict is.
  const fixed = resume ? body.map((part) => (part === 'h\u0001' ? 'N' : part)) : body;
  const parts = ['\u0080\u0002', ...fixed, '.'].map((part) =>
    typeof part === 'string' ? Buffer.from(part, 'latin1') : part,
  );
  const members = [
    { name: 'c/data.pkl', bytes: Buffer.concat(parts) },
    { name: 'c/byteorder', bytes: Buffer.from('little') },
    ...storages,
    { name: 'c/version', bytes: Buffer.from('3\n') },
  ];
  const name = `${sample.name}, five tensors${resume ? ', resume form' : ''}`;
  return { name, file: archiveOf(members), members };
}

/** Every checkpoint under a folder of golden vectors, and small ones made from them. */
export function readSamples(folder: string): { readonly whole: readonly Sample[]; readonly small: readonly Sample[] } {
  const whole: Sample[] = [];
  for (const model of readdirSync(folder).sort()) {
    if (!existsSync(join(folder, model, 'config.json'))) continue;
    for (const name of readdirSync(join(folder, model)).sort()) {
      if (!/\.pth(\.tar)?$/.test(name)) continue;
      const file = readFileSync(join(folder, model, name));
      whole.push({ name: `${model}/${name}`, file, members: membersOf(file) });
    }
  }
  return { whole, small: whole.flatMap((sample) => [reduced(sample, false), reduced(sample, true)]) };
}
