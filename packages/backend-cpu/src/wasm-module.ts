/** The modules' bytes, in the two builds that WebAssembly asks for: one imports a shared memory, one an unshared one. */
import { RELAXED_WASM_HEX } from './generated/relaxed-wasm.js';
import { WASM_HEX } from './generated/wasm.js';

const IMPORT_SECTION = 2;
const FUNCTION_IMPORT = 0;
const MEMORY_IMPORT = 2;
/** Limits with a maximum; and the same of a shared memory. */
const HAS_MAXIMUM = 1;
const SHARED_WITH_MAXIMUM = 3;

export type MemoryKind = 'unshared' | 'shared';

export interface KernelExports {
  /** Runs `count` groups; returns how many were done. */
  run(group: number, count: number, threads: number, scratch: number): number;
  packPanel(to: number, x: number, kStride: number, nStride: number, k: number, columns: number): void;
  fillRampMap(to: number, table: number, low: number, high: number, u: number, m: number, e: number, z: number): void;
}

export interface RelaxedExports {
  relaxedLinear(record: number, g: number, i0: number, n: number, scratch: number): void;
  relaxedPack(record: number, g: number, i0: number, n: number): void;
  packPanel(
    to: number,
    x: number,
    kStride: number,
    nStride: number,
    k: number,
    columns: number,
    bias: number,
    flip: number,
  ): void;
}

export interface KernelModules {
  readonly main: WebAssembly.Module;
  /** There only where it was chosen. */
  readonly relaxed?: WebAssembly.Module;
}

export interface LinkedKernels {
  readonly main: KernelExports;
  readonly relaxed?: RelaxedExports;
}

/** 0 … 15 of a lower-case digit. */
function digit(code: number): number {
  return (code & 15) + (code >> 6) * 9;
}

function decode(hex: string): Uint8Array<ArrayBuffer> {
  // Node's own decoder takes 0.1 ms; the loop takes milliseconds, since it runs once and is interpreted.
  if (typeof Buffer === 'function') return new Uint8Array(Buffer.from(hex, 'hex'));
  const bytes = new Uint8Array(hex.length >> 1);
  for (let i = 0, at = 0; i < bytes.length; i++) {
    const high = digit(hex.charCodeAt(at++));
    bytes[i] = (high << 4) | digit(hex.charCodeAt(at++));
  }
  return bytes;
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

/** Offset of the flags of the one memory that the module imports, beside functions. */
function memoryFlags(bytes: Uint8Array): number {
  let at = 8;
  while (at < bytes.length) {
    const [size, body] = readNumber(bytes, at + 1);
    if (bytes[at] === IMPORT_SECTION) {
      let [count, cursor] = readNumber(bytes, body);
      for (; count > 0; count--) {
        for (let name = 0; name < 2; name++) {
          const [length, text] = readNumber(bytes, cursor);
          cursor = text + length;
        }
        if (bytes[cursor] === MEMORY_IMPORT && bytes[cursor + 1] === HAS_MAXIMUM) return cursor + 1;
        if (bytes[cursor] !== FUNCTION_IMPORT) break;
        [, cursor] = readNumber(bytes, cursor + 1);
      }
      break;
    }
    at = body + size;
  }
  throw new RangeError('the module imports no memory with a maximum');
}

function build(hex: string, kind: MemoryKind): Uint8Array<ArrayBuffer> {
  const bytes = decode(hex);
  if (kind === 'shared') bytes[memoryFlags(bytes)] = SHARED_WITH_MAXIMUM;
  return bytes;
}

/**
 * The module's bytes. The two builds differ in one byte, the flag that says what kind of memory is imported: a module
 * with a shared memory cannot take an unshared one, nor the reverse.
 */
export function kernelBytes(kind: MemoryKind): Uint8Array<ArrayBuffer> {
  return build(WASM_HEX, kind);
}

/** The bytes of the module that `relaxedModule` takes: products by relaxed SIMD, which not every engine validates. */
export function relaxedKernelBytes(kind: MemoryKind): Uint8Array<ArrayBuffer> {
  return build(RELAXED_WASM_HEX, kind);
}

function isKernelExports(exports: WebAssembly.Exports): exports is WebAssembly.Exports & KernelExports {
  return ['run', 'packPanel', 'fillRampMap'].every((name) => typeof exports[name] === 'function');
}

function isRelaxedExports(exports: WebAssembly.Exports): exports is WebAssembly.Exports & RelaxedExports {
  return ['relaxedLinear', 'relaxedPack', 'packPanel'].every((name) => typeof exports[name] === 'function');
}

/** What the main module imports where no command asks for it. */
function absent(): never {
  throw new RangeError('the command list asks for the relaxed kernel, which is not there');
}

/** @throws WebAssembly.LinkError if a module is the other build */
export async function instantiateKernels(
  { main, relaxed }: KernelModules,
  memory: WebAssembly.Memory,
): Promise<LinkedKernels> {
  const second = relaxed && (await WebAssembly.instantiate(relaxed, { env: { memory } })).exports;
  if (second !== undefined && !isRelaxedExports(second)) {
    throw new RangeError('the relaxed module is not that of @ivit/backend-cpu');
  }
  const { relaxedLinear, relaxedPack } = second ?? { relaxedLinear: absent, relaxedPack: absent };
  const { exports } = await WebAssembly.instantiate(main, { env: { memory, relaxedLinear, relaxedPack } });
  if (!isKernelExports(exports)) throw new RangeError('the module is not that of @ivit/backend-cpu');
  return second === undefined ? { main: exports } : { main: exports, relaxed: second };
}
