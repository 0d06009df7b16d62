import type { FloatLinear, FloatNorm, FloatTensor, VitWeights } from '@ivit/models';
import type { CalibrationPhoto } from '@ivit/quantize';
import { createRandom, type Random } from '../trace/random.js';

/** Multiples of 2^-16 in -1 … 1, most of them small, as weights are: exact in float32 on every engine. */
function tensor(random: Random, shape: readonly number[], size: number, center = 0): FloatTensor {
  const count = shape.reduce((product, n) => product * n, 1);
  const data = Float32Array.from({ length: count }, () => {
    const sum = random.integer(-65536, 65536) + random.integer(-65536, 65536) + random.integer(-65536, 65536);
    return center + (size * sum) / 131072;
  });
  return { shape, data };
}

/** A small ViT that was never trained; some norm channels are much larger than others, as in trained ones. */
export function seededVit(seed: number): VitWeights {
  const random = createRandom(seed);
  const [dim, mlpDim, classes, patch, side] = [24, 48, 5, 4, 4];
  const linear = (n: number, k: number): FloatLinear => ({
    weight: tensor(random, [n, k], 2 / Math.sqrt(k)),
    bias: tensor(random, [n], 0.25),
  });
  const norm = (): FloatNorm => {
    const weight = tensor(random, [dim], 0.25, 1);
    for (let channel = 2; channel < dim; channel += 9) weight.data[channel] = (weight.data[channel] as number) * 4;
    return { weight, bias: tensor(random, [dim], 0.25) };
  };
  return {
    config: {
      imageSize: patch * side,
      patchSize: patch,
      dim,
      depth: 2,
      heads: 3,
      mlpDim,
      layerNormEps: 1e-6,
      classes,
    },
    preprocess: { resize: 18, interpolation: 'bicubic', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    labels: ['a', 'b', 'c', 'd', 'e'],
    patchEmbed: linear(dim, patch * patch * 3),
    classToken: tensor(random, [dim], 0.5),
    positionEmbedding: tensor(random, [1 + side * side, dim], 0.5),
    blocks: Array.from({ length: 2 }, () => ({
      norm1: norm(),
      qkv: linear(3 * dim, dim),
      proj: linear(dim, dim),
      norm2: norm(),
      fc1: linear(mlpDim, dim),
      fc2: linear(dim, mlpDim),
    })),
    norm: norm(),
    head: linear(classes, dim),
    sources: [{ name: 'seeded', sha256: '0'.repeat(64) }],
  };
}

/** Pictures of a few large areas and some noise. */
export function seededPhotos(seed: number, count: number, side: number): CalibrationPhoto[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, (_, photo) => {
    const [red, green, blue, edge] = random.list(4, 0, 255) as [number, number, number, number];
    const pixels = Uint8Array.from({ length: side * side * 3 }, (_unused, index) => {
      const bright = (Math.floor(index / 3) % side) * 16 < edge ? [red, green, blue] : [blue, red, green];
      return Math.min(255, Math.max(0, (bright[index % 3] as number) + random.integer(-20, 20)));
    });
    return { name: `photo-${photo}`, sha256: photo.toString(16).padStart(64, '0'), pixels };
  });
}
