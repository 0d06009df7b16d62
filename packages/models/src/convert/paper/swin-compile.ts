import { dyadicFromRatio } from '@ivit/dyadic/convert';
import { quantizeF32 } from '@ivit/nonlinear/convert';
import { IvitError } from '@ivit/program';
import { type SwinBlockGeometry, swinStages } from '../../swin/geometry.js';
import type {
  PaperMergingParameters,
  PaperSwinBlockParameters,
  PaperSwinParameters,
} from '../../swin/paper-parameters.js';
import { spreadBias } from '../../swin/windows.js';
import { compileBlock } from './block.js';
import { accumulatorScale, pixelTable, ratio, ratios } from './multipliers.js';
import type {
  PaperQuantizedSwin,
  PaperSwinBlockScales,
  QuantizedMerging,
  QuantizedSwinBlock,
} from './swin-quantized.js';

/** What the original adds to the logit of a masked pair. */
const MASK = -100;

/** Widest difference of two i8 logits. */
const LOGIT_SPAN = 255;

/**
 * The mask in units of the logits, floor(fl(-100/s)).
 *
 * @throws IvitError `E_MODEL_MASK_LEAK` where 255·s > 100: a masked logit could pass one that is not masked.
 */
export function maskUnits(site: string, scale: number): number {
  const units = Math.floor(Math.fround(MASK / scale));
  if (LOGIT_SPAN * scale <= -MASK) return units;
  throw new IvitError(
    'E_MODEL_MASK_LEAK',
    `at a scale of ${scale} the mask of -100 is ${units}, within the 255 of i8`,
    {
      where: site,
      hint: 'Attention would leak between windows that only the shift brought together: train with logits below 50.',
    },
  );
}

/**
 * Adding the mask may leave i16, where the clamp acts; that changes no bit as long as every clamped exponent is at its
 * floor already: 32640 ≥ n·|x0|/1.4375 + 2, n = 15.
 */
function checkMaskClamp(site: string, units: number, x0: number): void {
  if (units - 128 >= -32768 || 32640 >= (15 * -x0) / 1.4375 + 2) return;
  throw new IvitError('E_MODEL_SCALE', `a mask of ${units} units leaves int16 before its exponential is at its floor`, {
    where: site,
    hint: 'The scale of the attention logits is far too small for a trained model.',
  });
}

function compileSwinBlock(
  name: string,
  { window, shift, heads, dim }: SwinBlockGeometry,
  block: QuantizedSwinBlock,
  s: PaperSwinBlockScales,
  stream: number,
): PaperSwinBlockParameters {
  const table = Int8Array.from(block.biasTable, (value) => quantizeF32(value, s.attnTable, 8));
  const units = shift === 0 ? 0 : maskUnits(`${name}.attn.qact2`, s.attnQact2);
  const common = compileBlock(name, block, s, {
    stream,
    headWidth: dim / heads,
    logits: s.attnQact2,
    probability: 2 ** -7,
    mixed: { module: 'attn.qact3', scale: s.attnQact3 },
    projected: { module: 'attn.qact4', scale: s.attnQact4 },
  });
  checkMaskClamp(`${name}.attn.qact2`, units, common.softmaxX0);
  return {
    ...common,
    logitsPart: ratio(`${name}.attn.qact2`, s.attnLogits, s.attnQact2),
    positionBias: spreadBias(table, window, heads, (length) => new Int8Array(length)),
    biasPart: ratio(`${name}.attn.qact2`, s.attnTable, s.attnQact2),
    maskUnits: units,
  };
}

function compileMerging(name: string, merging: QuantizedMerging): PaperMergingParameters {
  return {
    norm: merging.norm.bias,
    qact1: ratios(`${name}.qact1`, merging.norm.scale, merging.qact1),
    reduction: { weight: merging.reduction.weight },
    qact2: ratios(`${name}.qact2`, accumulatorScale(merging.reduction, merging.qact1), merging.qact2),
  };
}

/**
 * Scales to multipliers: the convert-time half of I-ViT's Swin, float32 with one rounding per operation in its code's
 * order, one float64 division per multiplier.
 *
 * @throws IvitError `E_MODEL_SCALE`, `E_MODEL_SHAPE`, `E_MODEL_MASK_LEAK`.
 */
export function compilePaperSwin(model: PaperQuantizedSwin): PaperSwinParameters {
  let stream = model.qact1;
  const stages = swinStages(model.config).map((geometry, index) => {
    const stage = model.stages[index];
    if (stage === undefined) throw new RangeError(`there is no stage ${index}`);
    const blocks = geometry.blocks.map((blockGeometry, at) => {
      const block = stage.blocks[at];
      if (block === undefined) throw new RangeError(`there is no block ${at} in stage ${index}`);
      const name = `layers.${index}.blocks.${at}`;
      const compiled = compileSwinBlock(name, blockGeometry, block.weights, block.scales, stream);
      stream = block.scales.qact4;
      return compiled;
    });
    if (stage.merging === undefined) return { mlpDim: stage.mlpDim, blocks };
    stream = stage.merging.qact2;
    return { mlpDim: stage.mlpDim, blocks, merging: compileMerging(`layers.${index}.downsample`, stage.merging) };
  });
  return {
    config: model.config,
    classes: model.classes,
    pixelTable: pixelTable(model.preprocess, model.inputScale),
    patchEmbed: model.patchEmbed,
    patchQact: ratios(
      'patch_embed.qact_before_norm',
      accumulatorScale(model.patchEmbed, model.inputScale),
      model.patchQact,
    ),
    patchNorm: model.patchNorm.bias,
    patchNormQact: ratios('patch_embed.qact', model.patchNorm.scale, model.patchNormQact),
    qact1: ratios('qact1', model.patchNormQact, model.qact1),
    stages,
    norm: model.norm.bias,
    qact2: ratios('qact2', model.norm.scale, model.qact2),
    qact3: ratios('qact3', model.qact2, model.qact3),
    head: model.head,
    headUnits: Array.from(accumulatorScale(model.head, model.qact3), (scale) => dyadicFromRatio(scale)),
  };
}
