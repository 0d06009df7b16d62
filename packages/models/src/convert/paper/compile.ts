import { dyadicFromRatio } from '@ivit/dyadic/convert';
import { quantizeF32, roundHalfEven, softmaxX0 } from '@ivit/nonlinear/convert';
import { IvitError } from '@ivit/program';
import type { PaperBlockParameters, PaperVitParameters } from '../../vit/paper-parameters.js';
import { compileMlp } from './mlp.js';
import { accumulatorScale, pixelTable, ratio, ratios } from './multipliers.js';
import type { PaperQuantizedVit, QuantizedBlock } from './quantized.js';
import type { PaperBlockScales } from './scales.js';

const INT32_MAX = 2 ** 31 - 1;

function classTokenUnits(classToken: Float32Array, scale: number): Int32Array {
  return Int32Array.from(classToken, (value) => {
    const units = roundHalfEven(Math.fround(value / scale));
    if (Math.abs(units) <= INT32_MAX) return units;
    throw new IvitError('E_MODEL_SCALE', `a class token of ${value} is ${units} units, beyond int32`, {
      where: 'cls_token',
      hint: 'The scale of patch_embed.qact is too small for the class token.',
    });
  });
}

/**
 * @param stream Scale of the residual stream entering the block.
 */
function compileBlock(
  name: string,
  block: QuantizedBlock,
  s: PaperBlockScales,
  stream: number,
  headWidth: number,
): PaperBlockParameters {
  const inverseRoot = Math.fround(1 / Math.sqrt(headWidth));
  const logits = Math.fround(Math.fround(s.attnQact1 * s.attnQact1) * inverseRoot);
  return {
    norm1: block.norm1.bias,
    qact1: ratios(`${name}.qact1`, block.norm1.scale, s.qact1),
    qkv: block.qkv,
    attnQact1: ratios(`${name}.attn.qact1`, accumulatorScale(block.qkv, s.qact1), s.attnQact1),
    attnLogits: ratios(`${name}.attn.qact_attn1`, logits, s.attnLogits),
    softmaxX0: softmaxX0(s.attnLogits),
    // Probabilities come in units of 2^-15.
    attnQact2: ratios(`${name}.attn.qact2`, Math.fround(2 ** -15 * s.attnQact1), s.attnQact2),
    proj: block.proj,
    attnQact3: ratios(`${name}.attn.qact3`, accumulatorScale(block.proj, s.attnQact2), s.attnQact3),
    residual1: ratio(`${name}.qact2`, s.attnQact3, s.qact2),
    stream1: ratio(`${name}.qact2`, stream, s.qact2),
    norm2: block.norm2.bias,
    qact3: ratios(`${name}.qact3`, block.norm2.scale, s.qact3),
    ...compileMlp(name, block, s),
    residual2: ratio(`${name}.qact4`, s.mlpQact2, s.qact4),
    stream2: ratio(`${name}.qact4`, s.qact2, s.qact4),
  };
}

/**
 * Scales to multipliers: the convert-time half of I-ViT (Li and Gu, ICCV 2023), float32 with one rounding per operation
 * in its code's order, one float64 division per multiplier.
 *
 * @throws IvitError `E_MODEL_SCALE`.
 */
export function compilePaperVit(model: PaperQuantizedVit): PaperVitParameters {
  const { scales } = model;
  let stream = scales.qact1;
  const blocks = model.blocks.map((block, index) => {
    const own = scales.blocks[index];
    if (own === undefined) throw new RangeError(`there are no scales for block ${index}`);
    const compiled = compileBlock(`blocks.${index}`, block, own, stream, model.dim / model.heads);
    stream = own.qact4;
    return compiled;
  });
  return {
    imageSize: model.imageSize,
    patchSize: model.patchSize,
    dim: model.dim,
    heads: model.heads,
    mlpDim: model.mlpDim,
    classes: model.classes,
    pixelTable: pixelTable(model.preprocess, model.inputScale),
    patchEmbed: model.patchEmbed,
    patchQact: ratios('patch_embed.qact', accumulatorScale(model.patchEmbed, model.inputScale), scales.patchQact),
    classToken: classTokenUnits(model.classToken, scales.patchQact),
    position: Int16Array.from(model.position, (value) => quantizeF32(value, model.positionScale, 16)),
    patchPart: ratio('qact1', scales.patchQact, scales.qact1),
    positionPart: ratio('qact1', model.positionScale, scales.qact1),
    blocks,
    norm: model.norm.bias,
    qact2: ratios('qact2', model.norm.scale, scales.qact2),
    head: model.head,
    headUnits: Array.from(accumulatorScale(model.head, scales.qact2), (scale) => dyadicFromRatio(scale)),
  };
}
