import { describe, expect, it } from 'vitest';
import { type NamedTensors, randomStream } from '../../test/random.js';
import {
  type RandomVitFeatures,
  randomTimmTensors,
  SMALL_SHAPE,
  timmConfig,
  timmFolder,
} from '../../test/random-vit.js';
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
function plainForward(
  tensors: NamedTensors,
  pixels: Uint8Array,
  pool: 'token' | 'avg' = 'token',
): { stream: Matrix; logits: number[] } {
  const { patch, side, dim, depth, heads } = SMALL_SHAPE;
  const width = dim / heads;
  const get = (name: string): Float32Array => {
    const tensor = tensors.get(name);
    if (tensor === undefined) throw new Error(name);
    return tensor.data;
  };
  const linear = (x: Matrix, name: string): Matrix => {
    const weight = get(`${name}.weight`);
    const outputs = tensors.get(`${name}.weight`)?.shape[0] ?? 0;
    const bias = tensors.has(`${name}.bias`) ? [...get(`${name}.bias`)] : new Array<number>(outputs).fill(0);
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
  const scaled = (x: Matrix, block: string, half: number): Matrix => {
    const names = [`${block}.ls${half}.gamma`, `${block}.gamma_${half}`];
    const gamma = names.flatMap((name) => (tensors.has(name) ? [get(name)] : []))[0];
    return gamma === undefined ? x : x.map((row) => row.map((v, c) => v * (gamma[c] as number)));
  };
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
  const prefix = ['cls_token', 'dist_token'].filter((name) => tensors.has(name)).map((name) => [...get(name)]);
  const bodies = linear(patches, 'patch_embed.proj');
  const unplaced = position.length === dim * side * side ? prefix.length : 0;
  let stream = [...prefix, ...bodies].map((row, i) =>
    row.map((v, c) => (i < unplaced ? v : v + (position[(i - unplaced) * dim + c] as number))),
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
    stream = add(stream, scaled(linear(mixed, `${block}.attn.proj`), block, 1));
    const hidden = linear(norm(stream, `${block}.norm2`), `${block}.mlp.fc1`).map((row) =>
      row.map((v) => (v * (1 + erfSeries(v / Math.SQRT2))) / 2),
    );
    stream = add(stream, scaled(linear(hidden, `${block}.mlp.fc2`), block, 2));
  }
  const body = stream.slice(prefix.length);
  const average = (x: Matrix): Matrix => [
    (x[0] as number[]).map((_, c) => x.reduce((sum, row) => sum + (row[c] as number), 0) / x.length),
  ];
  const classify = (x: Matrix, head: string): number[] => linear(x, head)[0] as number[];
  const finalNorm = tensors.has('fc_norm.weight') ? 'fc_norm' : 'norm';
  if (pool === 'avg') {
    const pooled = finalNorm === 'fc_norm' ? norm(average(body), 'fc_norm') : average(norm(body, 'norm'));
    return { stream, logits: classify(pooled, 'head') };
  }
  const logits = classify(norm([stream[0] as number[]], finalNorm), 'head');
  if (!tensors.has('head_dist.weight')) return { stream, logits };
  const other = classify(norm([stream[1] as number[]], 'norm'), 'head_dist');
  return { stream, logits: logits.map((v, c) => (v + (other[c] as number)) / 2) };
}

const tensors = randomTimmTensors(SMALL_SHAPE, 20261123);
const weights = readVit(timmFolder(tensors, timmConfig(SMALL_SHAPE)));
const next = randomStream(7);
const pixels = Uint8Array.from({ length: (SMALL_SHAPE.patch * SMALL_SHAPE.side) ** 2 * 3 }, () =>
  Math.floor(next() * 256),
);

/** Float32 storage between layers costs about 1e-7 of each value; sums here stay below 10. */
const TOLERANCE = 2e-5;

const VARIANTS: readonly (readonly [string, RandomVitFeatures, 'token' | 'avg'])[] = [
  ['distilled', { tokens: 2 }, 'token'],
  ['mean of the patches, then the norm', { tokens: 0, norm: 'fc_norm' }, 'avg'],
  ['the norm, then the mean of the patches', { tokens: 0 }, 'avg'],
  ['mean of the patches beside a class token', { norm: 'fc_norm' }, 'avg'],
  ['norm, then mean, beside a class token', {}, 'avg'],
  ['class token under fc_norm', { norm: 'fc_norm' }, 'token'],
  ['class token without position, layer scale', { positioned: false, layerScale: 'ls' }, 'token'],
  ['layer scale under its older names, qkv without bias', { layerScale: 'gamma', qkvBias: false }, 'token'],
];

describe('vitForward of other ViTs', () => {
  it.each(VARIANTS)('%s', (_, features, pool) => {
    const varied = randomTimmTensors(SMALL_SHAPE, 31, features);
    const read = readVit(timmFolder(varied, { ...timmConfig(SMALL_SHAPE), global_pool: pool }));
    const wanted = plainForward(varied, pixels, pool).logits;
    const logits = vitForward(read, pixels);
    expect(logits).toHaveLength(wanted.length);
    for (const [index, value] of wanted.entries()) {
      expect(Math.abs((logits[index] as number) - value)).toBeLessThan(TOLERANCE);
    }
  });
});

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
