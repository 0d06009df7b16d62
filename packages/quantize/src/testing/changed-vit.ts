import type { FloatTensor, VitWeights } from '@ivit/models';

/** A tensor with entries `from … to-1` set to 0. */
export function zeroed(tensor: FloatTensor, from: number, to: number): FloatTensor {
  const data = tensor.data.slice();
  data.fill(0, from, to);
  return { shape: tensor.shape, data };
}

/** The model with block 0 changed. */
export function withBlock(
  weights: VitWeights,
  change: (block: VitWeights['blocks'][number]) => Partial<VitWeights['blocks'][number]>,
): VitWeights {
  const [first, ...rest] = weights.blocks;
  if (first === undefined) throw new Error('no block');
  return { ...weights, blocks: [{ ...first, ...change(first) }, ...rest] };
}

/** One hidden channel of block 0 is 25 times, one channel of the residual 60 times as strong. */
export function withMassiveActivations(weights: VitWeights): VitWeights {
  return withBlock(weights, ({ fc1, fc2 }) => {
    const hidden = fc1.weight.data.map((w, i) => (Math.floor(i / weights.config.dim) === 9 ? 25 * w : w));
    const output = fc2.weight.data.map((w, i) => (Math.floor(i / weights.config.mlpDim) === 5 ? 60 * w : w));
    return {
      fc1: { ...fc1, weight: { shape: fc1.weight.shape, data: hidden } },
      fc2: { ...fc2, weight: { shape: fc2.weight.shape, data: output } },
    };
  });
}
