import type { VitConfig, VitReadout } from './types.js';

/** Rows in front of the patches: 1 (the class token) unless the configuration says otherwise. */
export function prefixTokens(config: VitConfig): number {
  return config.prefixTokens ?? 1;
}

export function readoutOf(config: VitConfig): VitReadout {
  return config.readout ?? 'class';
}

/** Patches of an image. */
export function patchCount(config: VitConfig): number {
  const side = config.imageSize / config.patchSize; // float-ok: exact, the reader checks it
  return side * side;
}

/** Rows of the residual stream: prefix tokens and patches. */
export function tokenCount(config: VitConfig): number {
  return prefixTokens(config) + patchCount(config);
}
