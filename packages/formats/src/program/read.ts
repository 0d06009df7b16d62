import { type Constant, IvitError, type Program } from '@ivit/program';
import { parseCanonical } from '../json/canonical.js';
import { type JsonFault, quoteName } from '../json/cursor.js';
import { parseJson } from '../json/tree.js';
import { readSafetensors } from '../safetensors/read.js';
import type { TensorEntry } from '../safetensors/types.js';
import { decodeElements, FILE_DTYPE } from './constants.js';
import type { Fail, Path } from './decoder.js';
import { packedShape, unpackRows } from './packing.js';
import { type ProgramHeader, programHeader } from './schema.js';

/** The `__metadata__` key that holds a program's JSON. */
export const PROGRAM_KEY = 'ivit.program';

/** Longest program JSON; the largest honest ones have a few MB, most of it labels and photo hashes. */
export const MAX_JSON_BYTES = 64_000_000;

export interface ReadProgramOptions {
  /** What to call these bytes in errors, e.g. the file's name. */
  readonly where?: string;
  /**
   * The bytes are given away: constants may be windows on them, which spares a copy of the file. They must not change
   * afterwards.
   */
  readonly borrow?: boolean;
}

const HINT = 'The file is damaged or was written by an incompatible tool: write it again.';

const FAULT_CODES: Readonly<Record<JsonFault, string>> = {
  syntax: 'E_PROGRAM_JSON',
  utf8: 'E_PROGRAM_JSON',
  duplicate: 'E_PROGRAM_DUPLICATE',
  name: 'E_PROGRAM_NAME',
  integer: 'E_PROGRAM_TYPE',
  limit: 'E_PROGRAM_LIMIT',
};

/**
 * Reads a program file: a safetensors file whose `__metadata__` holds the program's JSON and whose tensors are its
 * constants. The structure is checked in full: every field of every op is there, of its type, and none beside; the
 * tensors are exactly the declared constants. What the program means (shapes, bounds, overflow) is left to `validate`
 * of `@ivit/program`: nothing may run before that.
 *
 * `values` and `constants` of the result have no prototype; the data of constants is in fresh memory unless
 * `borrow` is asked for.
 *
 * @throws IvitError E_SAFETENSORS_… for the container, E_PROGRAM_… with a path such as `ops[12].m` for the program.
 */
export function readProgram(bytes: Uint8Array, options: ReadProgramOptions = {}): Program {
  const place = options.where ?? 'program file';
  const file = readSafetensors(bytes, { where: place });
  const fail = (code: string, message: string, path: Path, hint = HINT): never => {
    throw new IvitError(code, message, { where: path ? `${place}, ${path}` : place, hint });
  };

  const text = file.metadata[PROGRAM_KEY];
  if (text === undefined) {
    const hint = 'Weights are not a program yet: convert them first.';
    return fail('E_PROGRAM_FILE', `there is no ${PROGRAM_KEY} in __metadata__`, '', hint);
  }
  const extra = Object.keys(file.metadata).find((key) => key !== PROGRAM_KEY);
  if (extra !== undefined) fail('E_PROGRAM_FIELD', 'unknown entry', `__metadata__[${quoteName(extra)}]`);

  const header = canonicalHeader(text) ?? strictHeader(text, fail);
  return { ...header, constants: readConstants(header, file.tensors, options.borrow === true, fail) };
}

/** The header of a JSON text as `writeProgram` makes it; undefined if anything is wrong or written in another way. */
function canonicalHeader(text: string): ProgramHeader | undefined {
  const tree = parseCanonical(text);
  if (tree === undefined) return undefined;
  try {
    // The schema refuses what `parseCanonical` lets pass: it takes safe integers, well-formed text and its own keys only.
    return programHeader(tree, undefined, () => {
      throw NOT_CANONICAL;
    });
  } catch (error) {
    if (error === NOT_CANONICAL) return undefined;
    throw error;
  }
}

const NOT_CANONICAL = new Error('the strict reader says what is wrong');

function strictHeader(text: string, fail: Fail): ProgramHeader {
  const json = new TextEncoder().encode(text);
  if (json.length > MAX_JSON_BYTES) {
    fail('E_PROGRAM_LIMIT', `${json.length} bytes of JSON are more than ${MAX_JSON_BYTES}`, PROGRAM_KEY);
  }
  const tree = parseJson(json, (fault, message, at) =>
    fail(FAULT_CODES[fault], message, `byte ${at} of ${PROGRAM_KEY}`),
  );
  return programHeader(tree, '', fail);
}

function readConstants(
  header: ProgramHeader,
  tensors: ReadonlyMap<string, TensorEntry>,
  borrow: boolean,
  fail: (code: string, message: string, path: string) => never,
): Readonly<Record<string, Constant>> {
  const constants: Record<string, Constant> = Object.create(null);
  for (const [name, { dtype, shape, bits }] of Object.entries(header.constants)) {
    const tensor = tensors.get(name);
    if (tensor === undefined) return fail('E_PROGRAM_CONSTANT', 'the file has no such tensor', `constants.${name}`);
    const declared =
      bits === undefined
        ? `${FILE_DTYPE[dtype]} [${shape.join(', ')}]`
        : `${FILE_DTYPE.u8} [${packedShape(shape, bits).join(', ')}]`;
    const stored = `${tensor.dtype} [${tensor.shape.join(', ')}]`;
    if (declared !== stored) {
      const path = `constants.${name}, byte ${tensor.offset}`;
      fail('E_PROGRAM_CONSTANT', `the tensor is ${stored}, but the program declares ${declared}`, path);
    }
    if (bits === undefined) constants[name] = { dtype, shape, data: decodeElements(dtype, tensor.bytes, borrow) };
    else {
      const data = unpackRows(tensor.bytes, shape[shape.length - 1] as number, bits);
      const path = `constants.${name}, byte ${tensor.offset}`;
      if (data === undefined) return fail('E_PROGRAM_CONSTANT', 'the bits that fill up a packed row are not 0', path);
      constants[name] = { dtype, shape, data, bits };
    }
  }
  for (const { name, offset } of tensors.values()) {
    if (!Object.hasOwn(header.constants, name)) {
      fail('E_PROGRAM_CONSTANT', 'the program declares no such constant', `tensor ${quoteName(name)}, byte ${offset}`);
    }
  }
  return constants;
}
