import { toHalves } from './half.js';
import { createMessage, encode, type MessageWriter } from './protobuf.js';

/** `TensorProto.DataType`, as far as used. */
const DATA_TYPE = { float: 1, int8: 3, int64: 7, float16: 10 } as const;
export type OnnxType = keyof typeof DATA_TYPE;

/** An integer, a float or a list of integers; a float has to say so, because 1 could be either. */
export type Attribute = number | readonly number[] | { readonly float: number };

export interface OnnxGraph {
  /** Adds an initializer, in the graph's own precision, and returns its name. */
  floats(shape: readonly number[], data: Float32Array): string;
  int8(shape: readonly number[], data: Int8Array): string;
  int64(shape: readonly number[], data: readonly number[]): string;
  /** Adds a node with one result and returns the result's name. */
  node(op: string, inputs: readonly string[], attributes?: Readonly<Record<string, Attribute>>): string;
  /** Adds a node with several results. */
  nodes(op: string, inputs: readonly string[], results: number): readonly string[];
  /** The finished file: the value `from` becomes the output `output`. */
  finish(from: string, output: string, shape: readonly number[]): Uint8Array;
}

function attribute(name: string, value: Attribute): MessageWriter {
  const message = createMessage().bytes(1, name);
  if (typeof value === 'number') return message.integer(3, value).integer(20, 2);
  if ('float' in value) return message.float(2, value.float).integer(20, 1);
  for (const entry of value) message.integer(8, entry);
  return message.integer(20, 7);
}

function valueInfo(name: string, shape: readonly number[]): MessageWriter {
  const dimensions = createMessage();
  for (const size of shape) dimensions.message(1, createMessage().integer(1, size));
  const tensor = createMessage().integer(1, DATA_TYPE.float).message(2, dimensions);
  return createMessage().bytes(1, name).message(2, createMessage().message(1, tensor));
}

/** `attributes.to` of a Cast. */
export const CAST_TO: Readonly<Record<OnnxType, number>> = DATA_TYPE;

/**
 * A graph of float32 input `input` (opset 17, the first with LayerNormalization).
 * @param precision - what `floats` are stored in
 */
export function createGraph(
  input: string,
  shape: readonly number[],
  precision: 'float' | 'float16' = 'float',
): OnnxGraph {
  const graph = createMessage();
  let count = 0;
  const fresh = (kind: string): string => `${kind}_${count++}`;
  const initializer = (type: OnnxType, dimensions: readonly number[], bytes: Uint8Array): string => {
    const name = fresh('constant');
    const tensor = createMessage();
    for (const size of dimensions) tensor.integer(1, size);
    graph.message(5, tensor.integer(2, DATA_TYPE[type]).bytes(8, name).bytes(9, bytes));
    return name;
  };
  const add = (
    op: string,
    inputs: readonly string[],
    outputs: readonly string[],
    attributes: Readonly<Record<string, Attribute>>,
  ): void => {
    const message = createMessage();
    for (const name of inputs) message.bytes(1, name);
    for (const name of outputs) message.bytes(2, name);
    message.bytes(3, fresh('node')).bytes(4, op);
    for (const [name, value] of Object.entries(attributes)) message.message(5, attribute(name, value));
    graph.message(1, message);
  };
  return {
    // Typed arrays are little-endian on every machine that Node runs on.
    floats(dimensions, data) {
      const stored = precision === 'float' ? data : toHalves(data);
      return initializer(precision, dimensions, new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength));
    },
    int8: (dimensions, data) =>
      initializer('int8', dimensions, new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    int64: (dimensions, data) =>
      initializer('int64', dimensions, new Uint8Array(BigInt64Array.from(data, BigInt).buffer)),
    node(op, inputs, attributes = {}) {
      const result = fresh(op);
      add(op, inputs, [result], attributes);
      return result;
    },
    nodes(op, inputs, results) {
      const names = Array.from({ length: results }, () => fresh(op));
      add(op, inputs, names, {});
      return names;
    },
    finish(from, output, outputShape) {
      add('Identity', [from], [output], {});
      graph.bytes(2, 'vit').message(11, valueInfo(input, shape)).message(12, valueInfo(output, outputShape));
      const opset = createMessage().bytes(1, '').integer(2, 17);
      return encode(createMessage().integer(1, 8).bytes(2, 'ivit bench').message(7, graph).message(8, opset));
    },
  };
}
