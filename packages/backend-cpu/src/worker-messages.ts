/** What the backend and its workers tell each other. */
export type ToWorker =
  | {
      readonly kind: 'load';
      readonly id: number;
      readonly module: WebAssembly.Module;
      /** Where the commands use it. */
      readonly relaxed: WebAssembly.Module | undefined;
      readonly memory: WebAssembly.Memory;
      readonly scratch: number;
    }
  | {
      readonly kind: 'run';
      readonly id: number;
      readonly job: number;
      readonly list: number;
      readonly count: number;
      /** Those that run it together: 1 = a list of this thread's own. */
      readonly threads: number;
      /** Where that of the load is too small. */
      readonly scratch?: number;
    }
  | { readonly kind: 'drop'; readonly id: number };

export type FromWorker =
  | { readonly kind: 'done'; readonly job: number; readonly groups: number }
  | { readonly kind: 'failed'; readonly reason: string };
