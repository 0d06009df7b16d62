import { type Constant, canonicalJson, IvitError, littleEndianBytes, type Program } from '@ivit/program';
import type { TensorSource } from '../safetensors/types.js';
import { writeSafetensors } from '../safetensors/write.js';
import { FILE_DTYPE, holdsItsShape } from './constants.js';
import { type Fail, members, show } from './decoder.js';
import { packedShape, packRows } from './packing.js';
import { MAX_JSON_BYTES, PROGRAM_KEY } from './read.js';
import { type ConstantType, constantType, name as decodeName, programHeader } from './schema.js';

/**
 * A program file: one ordinary safetensors file. The same program gives the same bytes on every machine: its JSON has
 * sorted keys, integers only and no white space, and tensors lie in the order `writeSafetensors` gives them. The facts
 * of a validated program are left out.
 *
 * @throws IvitError E_PROGRAM_… where `readProgram` would refuse the file, so that a bad one is never written.
 */
export function writeProgram(program: Program): Uint8Array {
  const fail: Fail = (code, message, path) => {
    throw new IvitError(code, message, { where: path === '' ? 'program' : `program, ${path}`, hint: HINT });
  };
  const { constants, ...rest } = members(program, '', fail);
  const types: Record<string, ConstantType> = Object.create(null);
  const tensors: TensorSource[] = [];
  for (const [name, constant] of Object.entries(members(constants, 'constants', fail))) {
    const path = `constants.${name.slice(0, 60)}`;
    decodeName(name, path, fail);
    const { type, tensor } = splitConstant(name, constant, path, fail);
    types[name] = type;
    tensors.push(tensor);
  }
  // `validate` adds its facts to the program it returns; they follow from the rest.
  const { facts: _facts, ...stated } = rest;
  const json = canonicalJson(programHeader({ ...stated, constants: types }, '', fail));
  if (json.length > MAX_JSON_BYTES || new TextEncoder().encode(json).length > MAX_JSON_BYTES) {
    fail('E_PROGRAM_LIMIT', `the JSON is longer than ${MAX_JSON_BYTES} bytes`, '');
  }
  return writeSafetensors(tensors, { [PROGRAM_KEY]: json });
}

const HINT = 'Correct the program before writing.';

function splitConstant(
  name: string,
  value: unknown,
  path: string,
  fail: Fail,
): { readonly type: ConstantType; readonly tensor: TensorSource } {
  const { data, ...stated } = members(value, path, fail);
  const type = constantType(stated, path, fail);
  if (!isIntArray(data)) return fail('E_PROGRAM_CONSTANT', `the data is ${show(data)}, no typed array`, `${path}.data`);
  if (!holdsItsShape({ ...type, data })) {
    const message = `the data is ${data.constructor.name} of ${data.length}, not ${type.dtype} [${type.shape.join(', ')}]`;
    fail('E_PROGRAM_CONSTANT', message, `${path}.data`);
  }
  const { bits, shape } = type;
  if (bits !== undefined && data instanceof Int8Array) {
    const bytes = packRows(data, shape[shape.length - 1] as number, bits);
    if (typeof bytes === 'number') {
      return fail(
        'E_PROGRAM_CONSTANT',
        `entry ${bytes} is ${data[bytes]}, which ${bits} bits do not hold`,
        `${path}.data`,
      );
    }
    return { type, tensor: { name, dtype: FILE_DTYPE.u8, shape: packedShape(shape, bits), bytes } };
  }
  return {
    type,
    tensor: { name, dtype: FILE_DTYPE[type.dtype], shape: type.shape, bytes: littleEndianBytes(data) },
  };
}

function isIntArray(data: unknown): data is Constant['data'] {
  return (
    data instanceof Uint8Array || data instanceof Int8Array || data instanceof Int16Array || data instanceof Int32Array
  );
}
