/** Nodes of a graph by the provider that onnxruntime put them on. */
export type Placement = Readonly<Record<string, number>>;

/**
 * Reads onnxruntime's verbose log of making a session. Its WebGPU provider leaves what it has no kernel for to the CPU
 * without a word elsewhere.
 */
export function placementOf(log: readonly string[]): Placement {
  const placement: Record<string, number> = {};
  for (const line of log) {
    const [, provider, count] = /placed on \[(\w+)\]\. Number of nodes: (\d+)/.exec(line) ?? [];
    if (provider !== undefined) placement[provider] = (placement[provider] ?? 0) + Number(count);
  }
  return placement;
}

/** The placement in words, and whether all of it is on the GPU. */
export function judgePlacement(placement: Placement): { readonly text: string; readonly onGpu: boolean } {
  const parts = Object.entries(placement).map(([provider, count]) => `${count} nodes on ${provider}`);
  return {
    text: parts.length === 0 ? 'no placement in the log' : parts.join(', '),
    onGpu: Object.keys(placement).join() === 'WebGpuExecutionProvider',
  };
}
