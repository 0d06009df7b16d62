import { describe, expect, it } from 'vitest';
import { randomStream } from '../../test/random.js';
import { type NamedTensors, randomTimmTensors, SMALL_SHAPE, timmConfig, timmFolder } from '../../test/random-vit.js';
import { readVit } from './reader/read-vit.js';
import { blockForward, createBlockActivations, embed, headForward, vitForward } from './vit-forward.js';

type Matrix = number[][];

/** erf by its alternating series, good to 1e-12 for |x| < 3.5. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; n < 120; n += 1) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}

/** A second forward, straight from the paper in lists of doubles: no shared code, no float32 on the way. */
function plainForward(tensors: NamedTensors, pixels: Uint8Array): { stream: Matrix; logits: number[] } {
  const { patch, side, dim, depth, heads } = SMALL_SHAPE;
  const width = dim / heads;
  const get = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(name);
    return tensor.data;
  };
  const linear = (x: Matrix, name: string): Matrix => {
    const bias = [...get(`${name}.bias`)];
    const weight = get(`${name}.weight`);
    return x.map((row) =>
      bias.map((offset, n) => row.reduce((sum, v, c) => sum + v * (weight[n * row.length + c] as number), offset)),
    );
  };
  const norm = (x: Matrix, name: string): Matrix =>
    x.map((row) => {
      const mean = row.reduce((a, b) => a + b) / dim;
      const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / dim;
      return row.map(
        (v, c) =>
          ((v - mean) / Math.sqrt(variance + 1e-6)) * (get(`${name}.weight`)[c] as number) +
          (get(`${name}.bias`)[c] as number),
      );
    });
  const add = (a: Matrix, b: Matrix): Matrix => a.map((row, i) => row.map((v, c) => v + (b[i]?.[c] as number)));
  const mean = [0.485, 0.456, 0.406];
  const std = [0.229, 0.224, 0.225];
  const patches: Matrix = [];
  for (let py = 0; py < side; py += 1) {
    for (let px = 0; px < side; px += 1) {
      const row: number[] = [];
      for (let color = 0; color < 3; color += 1) {
        for (let y = 0; y < patch; y += 1) {
          for (let x = 0; x < patch; x += 1) {
            const at = ((py * patch + y) * side * patch + px * patch + x) * 3 + color;
            row.push(((pixels[at] as number) / 255 - (mean[color] as number)) / (std[color] as number));
          }
        }
      }
      patches.push(row);
    }
  }
  const position = get('pos_embed');
  let stream = [[...get('cls_token')], ...linear(patches, 'patch_embed.proj')].map((row, i) =>
    row.map((v, c) => v + (position[i * dim + c] as number)),
  );
  for (let index = 0; index < depth; index += 1) {
    const block = `blocks.${index}`;
    const qkv = linear(norm(stream, `${block}.norm1`), `${block}.attn.qkv`);
    const mixed = stream.map((_, i) => {
      const row: number[] = [];
      for (let head = 0; head < heads; head += 1) {
        const part = (token: number, kind: number): number[] =>
          (qkv[token] as number[]).slice(kind * dim + head * width, kind * dim + (head + 1) * width);
        const scores = stream.map((__, j) => {
          const k = part(j, 1);
          return part(i, 0).reduce((sum, q, c) => sum + q * (k[c] as number), 0) / Math.sqrt(width);
        });
        const top = Math.max(...scores);
        const total = scores.reduce((sum, s) => sum + Math.exp(s - top), 0);
        for (let c = 0; c < width; c += 1) {
          row.push(scores.reduce((sum, s, j) => sum + (Math.exp(s - top) / total) * (part(j, 2)[c] as number), 0));
        }
      }
      return row;
    });
    stream = add(stream, linear(mixed, `${block}.attn.proj`));
    const hidden = linear(norm(stream, `${block}.norm2`), `${block}.mlp.fc1`).map((row) =>
      row.map((v) => (v * (1 + erfSeries(v / Math.SQRT2))) / 2),
    );
    stream = add(stream, linear(hidden, `${block}.mlp.fc2`));
  }
  return { stream, logits: linear(norm([stream[0] as number[]], 'norm'), 'head')[0] as number[] };
}

const tensors = randomTimmTensors(SMALL_SHAPE, 20261123);
const weights = readVit(timmFolder(tensors, timmConfig(SMALL_SHAPE)));
const next = randomStream(7);
const pixels = Uint8Array.from({ length: (SMALL_SHAPE.patch * SMALL_SHAPE.side) ** 2 * 3 }, () =>
  Math.floor(next() * 256),
);

/** Float32 storage between layers costs about 1e-7 of each value; sums here stay below 10. */
const TOLERANCE = 2e-5;

describe('vitForward', () => {
  it('agrees with an independent forward in doubles, logits and last residual stream', () => {
    const wanted = plainForward(tensors, pixels);
    const logits = vitForward(weights, pixels);
    expect(logits).toHaveLength(SMALL_SHAPE.classes);
    expect(Math.max(...logits) - Math.min(...logits)).toBeGreaterThan(0.1);
    for (const [index, value] of wanted.logits.entries()) {
      expect(Math.abs((logits[index] as number) - value)).toBeLessThan(TOLERANCE);
    }
    let x = embed(weights, pixels);
    for (let index = 0; index < SMALL_SHAPE.depth; index += 1) x = blockForward(weights, index, x).output;
    const flat = wanted.stream.flat();
    expect(x).toHaveLength(flat.length);
    for (const [index, value] of flat.entries()) {
      expect(Math.abs((x[index] as number) - value)).toBeLessThan(TOLERANCE);
    }
  });

  it('gives the same bits whether buffers are fresh or reused, block by block', () => {
    const reused = createBlockActivations(weights.config);
    let a = embed(weights, pixels);
    let b = embed(weights, pixels);
    for (let index = 0; index < SMALL_SHAPE.depth; index += 1) {
      a = blockForward(weights, index, a).output;
      b = blockForward(weights, index, b, reused).output;
      expect(b).toEqual(a);
    }
    expect(headForward(weights, b).logits).toEqual(vitForward(weights, pixels));
  });

  it('exposes intermediates that belong together', () => {
    const block = blockForward(weights, 0, embed(weights, pixels));
    const tokens = 1 + SMALL_SHAPE.side ** 2;
    expect(block.probabilities).toHaveLength(SMALL_SHAPE.heads * tokens * tokens);
    for (let row = 0; row < SMALL_SHAPE.heads * tokens; row += 1) {
      const sum = block.probabilities.subarray(row * tokens, (row + 1) * tokens).reduce((a, b) => a + b);
      expect(Math.abs(sum - 1)).toBeLessThan(1e-6);
    }
  });

  it('refuses pixels of another size and a block that does not exist', () => {
    expect(() => vitForward(weights, new Uint8Array(5))).toThrow(expect.objectContaining({ code: 'E_INPUT_SIZE' }));
    expect(() => blockForward(weights, 2, embed(weights, pixels))).toThrow(RangeError);
  });
});
