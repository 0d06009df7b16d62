import {
  type SwinBlockStep,
  type SwinBlockWeights,
  swinBlockForward,
  swinBlockPrefix,
  type VitConfig,
} from '@ivit/models';
import type { BlockSite } from '../block.js';
import { type WindowParts, windowSite } from './window-attention.js';

/** A block's sizes as those of a ViT whose tokens are the whole grid. */
function asVit({ geometry }: SwinBlockStep, float: SwinBlockWeights, eps: number): VitConfig {
  const { side, dim, heads } = geometry;
  return {
    imageSize: side,
    patchSize: 1,
    dim,
    depth: 1,
    heads,
    mlpDim: float.fc1.bias.data.length,
    layerNormEps: eps,
    classes: 1,
    prefixTokens: 0,
  };
}

/** One block; its streams lie in the order of its windows, in and out, and only attention differs from a ViT's. */
export function swinBlockSite(float: SwinBlockWeights, step: SwinBlockStep, eps: number): BlockSite<WindowParts> {
  const { geometry } = step;
  return {
    config: asVit(step, float, eps),
    float,
    prefix: swinBlockPrefix(step),
    tokens: geometry.side * geometry.side,
    wideRows: 0,
    attention: windowSite(step, float.positionBias),
    forward: (stream, into) => void swinBlockForward(float, geometry, eps, stream, into),
  };
}
