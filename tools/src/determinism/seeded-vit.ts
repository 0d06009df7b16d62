import { createRandom } from '@ivit/backend-testkit';
import type { VitConfig, VitWeights } from '@ivit/models';
import { makeUpVit, type TensorMaker } from '@ivit/models/~internal';
import type { CalibrationPhoto } from '@ivit/quantize';

/** Multiples of 2^-16 in -1 … 1, most of them small, as weights are: exact in float32 on every engine. */
function smallTensors(seed: number): TensorMaker {
  const random = createRandom(seed);
  return (shape, deviation, center = 0) => {
    const count = shape.reduce((product, n) => product * n, 1);
    const data = Float32Array.from({ length: count }, () => {
      const sum = random.integer(-65536, 65536) + random.integer(-65536, 65536) + random.integer(-65536, 65536);
      return center + (deviation * sum) / 131072;
    });
    return { shape, data };
  };
}

const CONFIG: VitConfig = {
  imageSize: 16,
  patchSize: 4,
  dim: 24,
  depth: 2,
  heads: 3,
  mlpDim: 48,
  layerNormEps: 1e-6,
  classes: 5,
};

/** A small ViT that was never trained; some norm channels are much larger than others, as in trained ones. */
export function seededVit(seed: number): VitWeights {
  const sizes = {
    gain: 2,
    linearBias: 0.25,
    normWeight: 0.25,
    normBias: 0.25,
    position: 0.5,
    strong: [2, 9],
  } as const;
  return makeUpVit(CONFIG, smallTensors(seed), sizes, {
    preprocess: { resize: 18, interpolation: 'bicubic', mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
    labels: ['a', 'b', 'c', 'd', 'e'],
    sources: [{ name: 'seeded', sha256: '0'.repeat(64) }],
  });
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
