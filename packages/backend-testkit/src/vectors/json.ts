/** Reads parsed JSON part by part; a part that is not what it should be is named. */
export type JsonObject = Readonly<Record<string, unknown>>;

function wrong(where: string, wanted: string): never {
  throw new TypeError(`${where} of a vector file is no ${wanted}`);
}

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return wrong(where, 'object');
  return Object.fromEntries(Object.entries(value));
}

export function asArray(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? value : wrong(where, 'array');
}

export function asString(value: unknown, where: string): string {
  return typeof value === 'string' ? value : wrong(where, 'string');
}

export function asInteger(value: unknown, where: string): number {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : wrong(where, 'integer');
}

export function asBytes(value: unknown, where: string): Uint8Array {
  return Uint8Array.from(atob(asString(value, where)), (character) => character.charCodeAt(0));
}
