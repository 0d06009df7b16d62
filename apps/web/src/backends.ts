/** What the page knows of a backend before it is tried. */
export interface BackendChoice {
  /** As the worker knows it. */
  readonly name: string;
  readonly title: string;
  readonly what: string;
  /** Multiply-accumulates above which it is not ticked by itself: it would take minutes. */
  readonly most?: number;
}

/** In the order in which they run. A backend is loaded in its worker when it is first used. */
export const BACKENDS: readonly BackendChoice[] = [
  { name: 'cpu', title: 'CPU', what: 'WebAssembly SIMD' },
  { name: 'reference', title: 'Reference', what: 'plain TypeScript, the slow truth', most: 400_000_000 },
];
