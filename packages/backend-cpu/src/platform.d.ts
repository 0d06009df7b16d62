/**
 * What this package uses of WebAssembly and of workers, for compilers that do not load the DOM's types. Not published: the
 * declarations name `WebAssembly.Module`, which consumers have from their platform.
 */
// biome-ignore lint/style/noNamespace: the platform's own name for its types
declare namespace WebAssembly {
  class Module {
    constructor(bytes: BufferSource);
  }
  class Instance {
    constructor(module: Module, imports?: Imports);
    readonly exports: Exports;
  }
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum?: number; readonly shared?: boolean });
    readonly buffer: ArrayBufferLike;
  }
  type BufferSource = ArrayBufferView<ArrayBuffer> | ArrayBuffer;
  type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  type Exports = Readonly<Record<string, unknown>>;
  function compile(bytes: BufferSource): Promise<Module>;
  function instantiate(module: Module, imports?: Imports): Promise<Instance>;
  function validate(bytes: BufferSource): boolean;
}

declare const crossOriginIsolated: boolean | undefined;
declare const navigator: { readonly hardwareConcurrency: number } | undefined;
declare const Worker: {
  new (
    url: URL,
    options: { readonly type: 'module' },
  ): {
    postMessage(message: unknown): void;
    addEventListener(
      type: 'message' | 'error' | 'messageerror',
      listener: (event: { readonly data?: unknown; readonly message?: unknown }) => void,
    ): void;
    terminate(): void;
  };
};
