import type { SwinModelConfig, SwinWeights, VitConfig, VitWeights } from '@ivit/models';
import { makeUpSwin, makeUpVit, type TensorMaker, type WeightDetails, type WeightSizes } from '@ivit/models/~internal';
import { createRandomIntegers } from './random-integers.js';

/** Float tensors of seeded numbers, exact in float32 on every engine: sums of four uniforms, near a bell shape. */
function bellTensors(seed: number): TensorMaker {
  const random = createRandomIntegers(seed);
  return (shape, deviation, center = 0) => {
    const data = new Float32Array(shape.reduce((product, size) => product * size, 1));
    for (let i = 0; i < data.length; i += 1) {
      const bits = random.word();
      const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24) - 510;
      data[i] = center + (deviation * sum) / 148;
    }
    return { shape, data };
  };
}

const SIZES: WeightSizes = {
  gain: 1,
  gains: { proj: 0.5, fc2: 0.5 },
  linearBias: 0.1,
  normWeight: 0.2,
  normBias: 0.2,
  position: 0.3,
  strong: [5, 31],
};

function detailsOf(imageSize: number, seed: number): WeightDetails {
  return {
    preprocess: {
      resize: imageSize,
      interpolation: 'bicubic',
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
    },
    sources: [{ name: `seeded ${seed}`, sha256: '0'.repeat(64) }],
  };
}

/** Float weights of a ViT of any geometry, where no trained ones are at hand. */
export function seededVitWeights(config: VitConfig, seed: number): VitWeights {
  return makeUpVit(config, bellTensors(seed), SIZES, detailsOf(config.imageSize, seed));
}

/** Float weights of a Swin of any geometry. Position biases are as large as trained ones. */
export function seededSwinWeights(config: SwinModelConfig, seed: number): SwinWeights {
  return makeUpSwin(config, bellTensors(seed), { ...SIZES, position: 1.5 }, detailsOf(config.imageSize, seed));
}
