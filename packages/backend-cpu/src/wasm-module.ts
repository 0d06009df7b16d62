/** The module's bytes, in the two builds that WebAssembly asks for: one imports a shared memory, one an unshared one. */
import { WASM_BASE64 } from './generated/wasm.js';

const IMPORT_SECTION = 2;
const MEMORY_IMPORT = 2;
/** Limits with a maximum; and the same of a shared memory. */
const HAS_MAXIMUM = 1;
const SHARED_WITH_MAXIMUM = 3;

export type MemoryKind = 'unshared' | 'shared';

export interface KernelExports {
  /** Runs `count` groups; returns how many were done. */
  run(group: number, count: number, threads: number, scratch: number): number;
  packPanel(to: number, x: number, kStride: number, nStride: number, k: number, columns: number): void;
  packStrassenPanels(to: number, left: number, right: number, k: number): void;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** Reads an unsigned LEB128 number; returns it and where it ends. */
function readNumber(bytes: Uint8Array, start: number): readonly [number, number] {
  let value = 0;
  for (let at = start, shift = 0; ; at++, shift += 7) {
    const byte = bytes[at] ?? 0;
    value |= (byte & 127) << shift;
    if (byte < 128) return [value, at + 1];
  }
}

/** Offset of the flags of the one memory that the module imports (it imports nothing else). */
function memoryFlags(bytes: Uint8Array): number {
  let at = 8;
  while (at < bytes.length) {
    const [size, body] = readNumber(bytes, at + 1);
    if (bytes[at] === IMPORT_SECTION) {
      let [, cursor] = readNumber(bytes, body);
      for (let name = 0; name < 2; name++) {
        const [length, text] = readNumber(bytes, cursor);
        cursor = text + length;
      }
      if (bytes[cursor] === MEMORY_IMPORT && bytes[cursor + 1] === HAS_MAXIMUM) return cursor + 1;
      break;
    }
    at = body + size;
  }
  throw new RangeError('the module imports no memory with a maximum');
}

/**
 * The module's bytes. The two builds differ in one byte, the flag that says what kind of memory is imported: a module
 * with a shared memory cannot take an unshared one, nor the reverse.
 */
export function kernelBytes(kind: MemoryKind): Uint8Array<ArrayBuffer> {
  const bytes = decode(WASM_BASE64);
  if (kind === 'shared') bytes[memoryFlags(bytes)] = SHARED_WITH_MAXIMUM;
  return bytes;
}

function isKernelExports(exports: WebAssembly.Exports): exports is WebAssembly.Exports & KernelExports {
  return ['run', 'packPanel', 'packStrassenPanels'].every((name) => typeof exports[name] === 'function');
}

/** @throws WebAssembly.LinkError if the module is the other build */
export async function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<KernelExports> {
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } });
  if (!isKernelExports(exports)) throw new RangeError('the module is not that of @ivit/backend-cpu');
  return exports;
}
