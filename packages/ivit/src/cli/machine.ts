import { availableParallelism, cpus, freemem, totalmem } from 'node:os';

/** What this machine and engine offer. */
export interface Machine {
  readonly node: string;
  readonly engine: string;
  readonly system: string;
  readonly cpu: string;
  /** Cores that this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly freeBytes: number;
  readonly webAssembly: boolean;
  readonly simd: boolean;
  readonly relaxedSimd: boolean;
  /** Memory shared by threads: `SharedArrayBuffer` and shared WebAssembly memory. */
  readonly sharedMemory: boolean;
}

// Modules that an engine takes only if it has the feature, behind magic number and version.

/** (module (func (result v128) i32.const 0 i8x16.splat i8x16.popcnt)) */
const SIMD = [1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0, 10, 10, 1, 8, 0, 0x41, 0, 0xfd, 15, 0xfd, 98, 11];
/** (module (func (result v128) i32.const 0 i8x16.splat i32.const 0 i8x16.splat i8x16.relaxed_swizzle)) */
const RELAXED_SIMD = [
  ...[1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0],
  ...[10, 15, 1, 13, 0, 0x41, 0, 0xfd, 15, 0x41, 0, 0xfd, 15, 0xfd, 0x80, 2, 11],
];
/** (module (memory 1 1 shared)) */
const SHARED_MEMORY = [5, 4, 1, 3, 1, 1];

/** The part of the global `WebAssembly` that is used; absent in an engine without a compiler (`--jitless`). */
const engine: { validate(bytes: Uint8Array<ArrayBuffer>): boolean } | undefined = Reflect.get(
  globalThis,
  'WebAssembly',
);

function takes(sections: readonly number[]): boolean {
  return engine?.validate(Uint8Array.from([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, ...sections])) ?? false;
}

export function describeMachine(): Machine {
  return {
    node: process.versions.node,
    engine: `V8 ${process.versions.v8}`,
    system: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    freeBytes: freemem(),
    webAssembly: takes([]),
    simd: takes(SIMD),
    relaxedSimd: takes(RELAXED_SIMD),
    sharedMemory: typeof SharedArrayBuffer !== 'undefined' && takes(SHARED_MEMORY),
  };
}
