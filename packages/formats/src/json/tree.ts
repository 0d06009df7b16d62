import { createJsonCursor, type JsonFail } from './cursor.js';

/** JSON as this package accepts it: numbers are integers, objects have no prototype. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Nesting of the deepest honest document is below 10. */
const MAX_DEPTH = 16;

/** Values of one document, all levels together. */
const MAX_NODES = 2_000_000;

/** Reads one JSON document as a tree, as strictly as {@link createJsonCursor}, with bounded depth and size. */
export function parseJson(bytes: Uint8Array, fail: JsonFail): Json {
  const cursor = createJsonCursor(bytes, fail);
  let nodes = 0;

  const read = (depth: number): Json => {
    nodes += 1;
    if (depth > MAX_DEPTH) fail('limit', `nested deeper than ${MAX_DEPTH}`, cursor.position());
    if (nodes > MAX_NODES) fail('limit', `more than ${MAX_NODES} values`, cursor.position());
    switch (cursor.kind()) {
      case 'object': {
        const members: Record<string, Json> = Object.create(null);
        cursor.object(MAX_NODES, (key) => {
          members[key] = read(depth + 1);
        });
        return members;
      }
      case 'array': {
        const items: Json[] = [];
        cursor.array(MAX_NODES, () => {
          items.push(read(depth + 1));
        });
        return items;
      }
      case 'string':
        return cursor.string(bytes.length);
      case 'number':
        return cursor.integer();
      default:
        return cursor.literal();
    }
  };

  const tree = read(1);
  cursor.end();
  return tree;
}
