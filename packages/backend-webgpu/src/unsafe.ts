/** The only file with unchecked casts: from what callers pass, in types that need no WebGPU declarations, to the platform's. */

/** A `GPUDevice`. Written down by what tells it apart, so that these declarations compile without WebGPU's. */
export interface WebgpuDevice {
  readonly lost: Promise<unknown>;
  readonly queue: object;
  readonly limits: object;
}

/** A `GPU`: what `navigator.gpu` is, and what `create([])` of the package `webgpu` gives in Node. */
export interface WebgpuEntry {
  requestAdapter(options?: object): Promise<unknown>;
}

export function gpuDevice(device: WebgpuDevice): GPUDevice {
  return device as unknown as GPUDevice;
}

/** The entry given, or the platform's. */
export function gpuEntry(given: WebgpuEntry | undefined): GPU | undefined {
  if (given !== undefined) return given as unknown as GPU;
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  return navigator?.gpu;
}
