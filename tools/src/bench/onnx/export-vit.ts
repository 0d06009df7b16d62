import type { FloatLinear, FloatNorm, VitWeights } from '@ivit/models';
import { CAST_TO, createGraph, type OnnxGraph } from './graph.js';

/**
 * How it is computed: in float32; in float16 from the cast of the input to that of the logits; or with linear layers of
 * `DynamicQuantizeLinear` and `MatMulInteger`.
 */
export type ExportKind = 'fp32' | 'fp16' | 'int8-dynamic';

/** `[N,K]` to `[K,N]`: ONNX multiplies from the left. */
function transposed<T extends Float32Array | Int8Array>(data: T, out: T, n: number, k: number): T {
  for (let row = 0; row < n; row += 1) {
    for (let column = 0; column < k; column += 1) out[column * n + row] = data[row * k + column] as number;
  }
  return out;
}

/** int8 weights with one scale per output channel: |w| up to 127 steps. */
function quantized(weight: Float32Array, n: number, k: number): { codes: Int8Array; scales: Float32Array } {
  const codes = new Int8Array(n * k);
  const scales = new Float32Array(n);
  for (let row = 0; row < n; row += 1) {
    let largest = 1e-12;
    for (let at = row * k; at < (row + 1) * k; at += 1) largest = Math.max(largest, Math.abs(weight[at] as number));
    scales[row] = largest / 127;
    for (let at = row * k; at < (row + 1) * k; at += 1)
      codes[at] = Math.round(((weight[at] as number) / largest) * 127);
  }
  return { codes, scales };
}

function addLinear(graph: OnnxGraph, x: string, { weight, bias }: FloatLinear, kind: ExportKind): string {
  const [n = 1, k = 1] = weight.shape;
  const offset = graph.floats([n], bias.data);
  if (kind !== 'int8-dynamic') {
    const w = graph.floats([k, n], transposed(weight.data, new Float32Array(n * k), n, k));
    return graph.node('Add', [graph.node('MatMul', [x, w]), offset]);
  }
  const { codes, scales } = quantized(weight.data, n, k);
  const w = graph.int8([k, n], transposed(codes, new Int8Array(n * k), n, k));
  const [xCodes = '', xScale = '', xZero = ''] = graph.nodes('DynamicQuantizeLinear', [x], 3);
  const sum = graph.node('MatMulInteger', [xCodes, w, xZero, graph.int8([n], new Int8Array(n))]);
  const scale = graph.node('Mul', [xScale, graph.floats([n], scales)]);
  return graph.node('Add', [graph.node('Mul', [graph.node('Cast', [sum], { to: 1 }), scale]), offset]);
}

function addNorm(graph: OnnxGraph, x: string, norm: FloatNorm, epsilon: number): string {
  const { weight, bias } = norm;
  const inputs = [x, graph.floats(weight.shape, weight.data), graph.floats(bias.shape, bias.data)];
  return graph.node('LayerNormalization', inputs, { axis: -1, epsilon: { float: epsilon } });
}

/** The erf form that exporters write: runtimes recognize it and put one kernel in its place. */
function addGelu(graph: OnnxGraph, x: string): string {
  const constant = (value: number): string => graph.floats([], Float32Array.of(value));
  const erf = graph.node('Erf', [graph.node('Div', [x, constant(Math.SQRT2)])]);
  return graph.node('Mul', [graph.node('Mul', [x, graph.node('Add', [erf, constant(1)])]), constant(0.5)]);
}

/** Patch embedding by convolution (weights back from ky, kx, color to color, ky, kx), class token, positions. */
function addEmbed(graph: OnnxGraph, pixels: string, weights: VitWeights, batch: number): string {
  const { patchSize, dim, imageSize } = weights.config;
  const tokens = (imageSize / patchSize) ** 2;
  const area = patchSize * patchSize;
  const source = weights.patchEmbed.weight.data;
  const kernel = Float32Array.from({ length: dim * 3 * area }, (_, at) => {
    const [row, color, pixel] = [Math.floor(at / (3 * area)), Math.floor(at / area) % 3, at % area];
    return source[row * 3 * area + pixel * 3 + color] as number;
  });
  const inputs = [pixels, graph.floats([dim, 3, patchSize, patchSize], kernel)];
  inputs.push(graph.floats([dim], weights.patchEmbed.bias.data));
  const sides = { kernel_shape: [patchSize, patchSize], strides: [patchSize, patchSize] };
  const flat = graph.node('Reshape', [graph.node('Conv', inputs, sides), graph.int64([3], [batch, dim, tokens])]);
  const patches = graph.node('Transpose', [flat], { perm: [0, 2, 1] });
  const classRows = new Float32Array(batch * dim);
  for (let image = 0; image < batch; image += 1) classRows.set(weights.classToken.data, image * dim);
  const all = graph.node('Concat', [graph.floats([batch, 1, dim], classRows), patches], { axis: 1 });
  return graph.node('Add', [all, graph.floats([1, tokens + 1, dim], weights.positionEmbedding.data)]);
}

/**
 * An ONNX file of a ViT with the usual exporters' graph: input `[batch,3,H,W]` float (normalized), output `logits`.
 * The batch is fixed, as in the files that people measure with.
 */
export function exportVit(weights: VitWeights, kind: ExportKind, batch: number): Uint8Array {
  const { config, blocks } = weights;
  const { imageSize, patchSize, dim, heads, layerNormEps, classes } = config;
  const tokens = 1 + (imageSize / patchSize) ** 2;
  const width = dim / heads;
  const half = kind === 'fp16';
  const graph = createGraph('input', [batch, 3, imageSize, imageSize], half ? 'float16' : 'float');
  const split = graph.int64([5], [batch, tokens, 3, heads, width]);
  const merged = graph.int64([3], [batch, tokens, dim]);
  const parts = [0, 1, 2].map((part) => graph.int64([], [part]));
  const scale = graph.floats([], Float32Array.of(width ** -0.5));
  const pixels = half ? graph.node('Cast', ['input'], { to: CAST_TO.float16 }) : 'input';
  let x = addEmbed(graph, pixels, weights, batch);
  for (const block of blocks) {
    const qkv = addLinear(graph, addNorm(graph, x, block.norm1, layerNormEps), block.qkv, kind);
    const byPart = graph.node('Transpose', [graph.node('Reshape', [qkv, split])], { perm: [2, 0, 3, 1, 4] });
    const [q = '', k = '', v = ''] = parts.map((part) => graph.node('Gather', [byPart, part], { axis: 0 }));
    const keys = graph.node('Transpose', [k], { perm: [0, 1, 3, 2] });
    const products = graph.node('MatMul', [graph.node('Mul', [q, scale]), keys]);
    const mixed = graph.node('MatMul', [graph.node('Softmax', [products], { axis: -1 }), v]);
    const byToken = graph.node('Reshape', [graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }), merged]);
    x = graph.node('Add', [x, addLinear(graph, byToken, block.proj, kind)]);
    const hidden = addLinear(graph, addNorm(graph, x, block.norm2, layerNormEps), block.fc1, kind);
    x = graph.node('Add', [x, addLinear(graph, addGelu(graph, hidden), block.fc2, kind)]);
  }
  const classRow = graph.node('Gather', [addNorm(graph, x, weights.norm, layerNormEps), graph.int64([], [0])], {
    axis: 1,
  });
  const logits = addLinear(graph, classRow, weights.head, kind);
  const last = half ? graph.node('Cast', [logits], { to: CAST_TO.float }) : logits;
  return graph.finish(last, 'logits', [batch, classes]);
}
