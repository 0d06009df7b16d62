/** Reads every byte of a WebAssembly module that says what it does: types, imports, exports, locals and each instruction. */
import { ByteReader } from './byte-reader.js';
import { CORE, type Immediate, type Opcode, PREFIXED } from './opcodes.js';

const VALUE_TYPES: ReadonlyMap<number, string> = new Map([
  [0x7f, 'i32'],
  [0x7e, 'i64'],
  [0x7d, 'f32'],
  [0x7c, 'f64'],
  [0x7b, 'v128'],
  [0x70, 'funcref'],
  [0x6f, 'externref'],
]);
const EMPTY_BLOCK = 0x40;
const FUNCTION_TYPE = 0x60;
const EXTERNAL_KINDS = ['function', 'table', 'memory', 'global'] as const;
/** A memory argument with this bit in its alignment names its memory, too. */
const NAMED_MEMORY = 64;

export interface Limits {
  readonly least: number;
  readonly most: number | undefined;
  readonly shared: boolean;
}

export interface Import {
  readonly module: string;
  readonly name: string;
  readonly kind: string;
  readonly memory: Limits | undefined;
}

export interface Walked {
  /** Value types of function types, blocks, locals and globals, by the byte they stand at. */
  readonly types: readonly (readonly [at: number, type: string])[];
  readonly opcodes: readonly (readonly [at: number, name: string])[];
  readonly imports: readonly Import[];
  /** `kind name` */
  readonly exports: readonly string[];
  readonly functions: number;
}

class Walker {
  readonly types: [number, string][] = [];
  readonly opcodes: [number, string][] = [];
  readonly imports: Import[] = [];
  readonly exports: string[] = [];
  functions = 0;

  type(reader: ByteReader): void {
    const { at } = reader;
    const name = VALUE_TYPES.get(reader.byte());
    if (name === undefined) reader.fail('no known value type', at);
    this.types.push([at, name]);
  }

  #limits(reader: ByteReader): Limits {
    const flags = reader.byte();
    if (flags > 3) reader.fail(`limits of form ${flags}, not of a 32-bit memory or table`, reader.at - 1);
    const least = reader.unsigned();
    return { least, most: (flags & 1) === 0 ? undefined : reader.unsigned(), shared: (flags & 2) !== 0 };
  }

  #immediate(reader: ByteReader, immediate: Immediate): void {
    switch (immediate) {
      case 'index':
        reader.unsigned();
        return;
      case 'memory':
        if ((reader.unsigned() & NAMED_MEMORY) !== 0) reader.unsigned();
        reader.unsigned();
        return;
      case 'byte':
      case 'lane':
      case 'reference':
        reader.byte();
        return;
      case 'bytes4':
        reader.skip(4);
        return;
      case 'bytes8':
        reader.skip(8);
        return;
      case 'bytes16':
        reader.skip(16);
        return;
      case 's32':
        reader.skipNumber(32);
        return;
      case 's64':
        reader.skipNumber(64);
        return;
      case 'types':
        reader.list(() => this.type(reader));
        return;
      case 'branches':
        reader.list(() => reader.unsigned());
        reader.unsigned();
        return;
      case 'block': {
        const { at } = reader;
        const first = reader.byte();
        if (first === EMPTY_BLOCK) return;
        reader.at = at;
        // Value types are the negative one-byte numbers; type indices are positive.
        if ((first & 0xc0) === 0x40) this.type(reader);
        else reader.skipNumber(33);
        return;
      }
      default:
        immediate satisfies never;
    }
  }

  /** One instruction; its name. */
  #instruction(reader: ByteReader): string {
    const { at } = reader;
    const first = reader.byte();
    const prefixed = PREFIXED.get(first);
    const code = prefixed === undefined ? first : reader.unsigned();
    const opcode: Opcode | undefined = (prefixed ?? CORE).get(code);
    if (opcode === undefined) reader.fail(`no known opcode (${first.toString(16)} ${code})`, at);
    this.opcodes.push([at, opcode.name]);
    for (const immediate of opcode.immediates) this.#immediate(reader, immediate);
    return opcode.name;
  }

  /** Instructions up to the `end` that closes them. */
  expression(reader: ByteReader): void {
    for (let depth = 1; depth > 0; ) {
      const name = this.#instruction(reader);
      if (name === 'block' || name === 'loop' || name === 'if') depth += 1;
      if (name === 'end') depth -= 1;
    }
  }

  #import(reader: ByteReader): void {
    const module = reader.text();
    const name = reader.text();
    const kind = EXTERNAL_KINDS[reader.byte()];
    let memory: Limits | undefined;
    if (kind === 'memory') memory = this.#limits(reader);
    else if (kind === 'function') reader.unsigned();
    else if (kind === 'global') this.#globalType(reader);
    else reader.fail('an import of a kind that is not read', reader.at - 1);
    this.imports.push({ module, name, kind, memory });
  }

  #globalType(reader: ByteReader): void {
    this.type(reader);
    reader.byte();
  }

  #export(reader: ByteReader): void {
    const name = reader.text();
    const kind = EXTERNAL_KINDS[reader.byte()];
    if (kind === undefined) reader.fail('an export of no known kind', reader.at - 1);
    reader.unsigned();
    this.exports.push(`${kind} ${name}`);
  }

  #body(reader: ByteReader): void {
    const body = reader.part(reader.unsigned());
    body.list(() => {
      body.unsigned();
      this.type(body);
    });
    this.expression(body);
    if (!body.done) body.fail('a function goes on after its end');
    this.functions += 1;
  }

  #data(reader: ByteReader): void {
    const form = reader.unsigned();
    if (form > 2) reader.fail(`data of form ${form}`);
    if (form === 2) reader.unsigned();
    if (form !== 1) this.expression(reader);
    reader.skip(reader.unsigned());
  }

  section(id: number, reader: ByteReader): void {
    switch (id) {
      case 0: // custom: names and the like, nothing that runs
        reader.text();
        reader.skip(reader.end - reader.at);
        return;
      case 1:
        reader.list(() => {
          if (reader.byte() !== FUNCTION_TYPE) reader.fail('a type that is no function type', reader.at - 1);
          reader.list(() => this.type(reader));
          reader.list(() => this.type(reader));
        });
        return;
      case 2:
        reader.list(() => this.#import(reader));
        return;
      case 3:
        reader.list(() => reader.unsigned());
        return;
      case 5:
        reader.list(() => this.#limits(reader));
        return;
      case 6:
        reader.list(() => {
          this.#globalType(reader);
          this.expression(reader);
        });
        return;
      case 7:
        reader.list(() => this.#export(reader));
        return;
      case 8: // start
      case 12: // data count
        reader.unsigned();
        return;
      case 10:
        reader.list(() => this.#body(reader));
        return;
      case 11:
        reader.list(() => this.#data(reader));
        return;
      default:
        // Tables, elements and tags: kernels have none, so they are refused unread.
        reader.fail(`section ${id} is not read`);
    }
  }
}

/**
 * Walks a whole module.
 * @throws IvitError E_WASM with the byte where something is not known, or where a part does not end where it says
 */
export function walkModule(bytes: Uint8Array): Walked {
  const reader = new ByteReader(bytes);
  for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) {
    if (reader.byte() !== byte) reader.fail('no WebAssembly module of version 1', reader.at - 1);
  }
  const walker = new Walker();
  while (!reader.done) {
    const id = reader.byte();
    const section = reader.part(reader.unsigned());
    walker.section(id, section);
    if (!section.done) section.fail(`section ${id} goes on after its content`);
  }
  return walker;
}
