import { quantizeF32, shiftGeluX0, softmaxX0 } from '@ivit/nonlinear/convert';
import { IvitError, type Program } from '@ivit/program';
import { buildPaperProgram } from '../../vit/paper-program.js';
import { prefixTokens, readoutOf } from '../../vit/tokens.js';
import type { FloatLinear, VitBlockWeights, VitConfig, VitPreprocess, VitWeights } from '../../vit/types.js';
import { compilePaperVit } from './compile.js';
import { quantizeNorm } from './norm.js';
import type { QuantizedBlock, QuantizedLinear } from './quantized.js';
import { activationScale, type PaperBlockScales, type PaperScales } from './scales.js';

const INT32_MAX = 2 ** 31 - 1;

/** Per output channel: s_w from the largest magnitude, bias in units of fl(s_w·s_x), as I-ViT's code. */
function quantizeLinear(layer: FloatLinear, inputScale: number): QuantizedLinear {
  const [n, k] = layer.weight.shape as readonly [number, number];
  const weight = new Int8Array(n * k);
  const bias = new Int32Array(n);
  const scale = new Float32Array(n);
  for (let row = 0; row < n; row += 1) {
    const values = layer.weight.data.subarray(row * k, (row + 1) * k);
    let largest = 0;
    for (const value of values) largest = Math.max(largest, Math.abs(value));
    const rowScale = activationScale(8, -largest, largest);
    scale[row] = rowScale;
    for (let i = 0; i < k; i += 1) weight[row * k + i] = quantizeF32(values[i] as number, rowScale, 8);
    const units = quantizeF32(layer.bias.data[row] as number, Math.fround(rowScale * inputScale), 32);
    bias[row] = Math.max(units, -INT32_MAX);
  }
  return { weight, bias, scale };
}

function quantizeBlock(block: VitBlockWeights, scales: PaperBlockScales): QuantizedBlock {
  return {
    norm1: quantizeNorm(block.norm1.weight.data, block.norm1.bias.data),
    qkv: quantizeLinear(block.qkv, scales.qact1),
    proj: quantizeLinear(block.proj, scales.attnQact2),
    norm2: quantizeNorm(block.norm2.weight.data, block.norm2.bias.data),
    fc1: quantizeLinear(block.fc1, scales.qact3),
    fc2: quantizeLinear(block.fc2, scales.mlpQact1),
  };
}

/** The scale, or the next float32 above it for which `step` is at least `least` (both negative). */
function raiseScale(scale: number, least: number, step: (scale: number) => number): number {
  let raised = scale;
  while (step(raised) < least)
    raised = Math.max(Math.fround(raised * (step(raised) / least)), Math.fround(raised * (1 + 2 ** -23)));
  return raised;
}

/**
 * Raises scales to what the integer functions can take (docs/spec/ivit-1.md §6): |x0| ≤ 127 in ShiftGELU; in Shiftmax the sum
 * of `tokens` exponentials |x0|·2^15 stays inside int32. Ranges narrower than that are simply not used whole.
 */
export function limitScales(scales: PaperBlockScales, tokens: number): PaperBlockScales {
  const steps = Math.floor(INT32_MAX / (tokens * 2 ** 15));
  return {
    ...scales,
    attnLogits: raiseScale(scales.attnLogits, -Math.max(steps, 1), softmaxX0),
    mlpQactGelu: raiseScale(scales.mlpQactGelu, -127, shiftGeluX0),
  };
}

/** Scale of the int8 input: the largest value any pixel can take. */
function inputScale({ mean, std }: VitPreprocess): number {
  let largest = 0;
  for (const color of [0, 1, 2]) {
    const m = mean[color] as number;
    largest = Math.max(largest, Math.abs(m / (std[color] as number)), Math.abs((1 - m) / (std[color] as number)));
  }
  return activationScale(8, -largest, largest);
}

/**
 * What the paper's program can read: one class token.
 *
 * @throws IvitError `E_MODEL_UNSUPPORTED`.
 */
export function requireClassReadout(config: VitConfig): void {
  if (prefixTokens(config) === 1 && readoutOf(config) === 'class') return;
  throw new IvitError('E_MODEL_UNSUPPORTED', "the paper's program reads one class token and nothing else", {
    where: `readout ${readoutOf(config)}, ${prefixTokens(config)} tokens in front of the patches`,
    hint: 'Use recipe ptq@1 for distilled models and for those that average their tokens.',
  });
}

/**
 * The paper's ViT from float weights and calibrated activation scales, without training (recipe `paper@1`): weights,
 * biases and norms by the paper's rules in float32, then the same program as {@link buildPaperVit}.
 * The scale of the position embedding follows from the weights, by default also that of the input; scales of attention logits and of GELU's
 * input are raised where the integer functions need it.
 *
 * @param scales Real value of one integer step at each site; see `activationScale`.
 * @throws IvitError `E_MODEL_SCALE`; `E_MODEL_UNSUPPORTED` for other readouts than `class`; `E_PROGRAM_…` where no proof against overflow exists.
 */
export function buildPaperVitFromScales(weights: VitWeights, scales: PaperScales): Program {
  const { config, preprocess } = weights;
  requireClassReadout(config);
  const tokens = weights.positionEmbedding.shape[0] as number;
  const blockScales = scales.blocks.map((block) => limitScales(block, tokens));
  const input = scales.qactInput ?? inputScale(preprocess);
  let largestPosition = 0;
  for (const value of weights.positionEmbedding.data) largestPosition = Math.max(largestPosition, Math.abs(value));
  const parameters = compilePaperVit({
    imageSize: config.imageSize,
    patchSize: config.patchSize,
    dim: config.dim,
    heads: config.heads,
    mlpDim: config.mlpDim,
    classes: config.classes,
    preprocess,
    inputScale: input,
    patchEmbed: quantizeLinear(weights.patchEmbed, input),
    classToken: weights.classToken.data,
    position: weights.positionEmbedding.data,
    positionScale: activationScale(16, -largestPosition, largestPosition),
    scales: { ...scales, blocks: blockScales },
    blocks: weights.blocks.map((block, index) => {
      const own = blockScales[index];
      if (own === undefined) throw new RangeError(`there are no scales for block ${index}`);
      return quantizeBlock(block, own);
    }),
    norm: quantizeNorm(weights.norm.weight.data, weights.norm.bias.data),
    head: quantizeLinear(weights.head, scales.qact2),
  });
  const program = buildPaperProgram(parameters, { preprocess, labels: weights.labels });
  return { ...program, provenance: { architecture: 'vit', sources: weights.sources } };
}
