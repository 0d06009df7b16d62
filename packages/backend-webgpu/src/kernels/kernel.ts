/** What a kernel module gives: text, and nothing that needs a device. */
export interface KernelText {
  /** WGSL with one entry point, `main`. Equal texts share one pipeline. */
  readonly code: string;
}

/** Workgroups along x and y for one image; images are along z. */
export type Grid = readonly [x: number, y: number];
