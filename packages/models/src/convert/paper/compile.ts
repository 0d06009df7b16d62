import { dyadicFromRatio } from '@ivit/dyadic/convert';
import { quantizeF32, roundHalfEven } from '@ivit/nonlinear/convert';
import { IvitError } from '@ivit/program';
import type { PaperVitParameters } from '../../vit/paper-parameters.js';
import { compileBlock } from './block.js';
import { accumulatorScale, pixelTable, ratio, ratios } from './multipliers.js';
import type { PaperQuantizedVit } from './quantized.js';

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
    const compiled = compileBlock(`blocks.${index}`, block, own, {
      stream,
      headWidth: model.dim / model.heads,
      logits: own.attnLogits,
      probability: 2 ** -15,
      mixed: { module: 'attn.qact2', scale: own.attnQact2 },
      projected: { module: 'attn.qact3', scale: own.attnQact3 },
    });
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
