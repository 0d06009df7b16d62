/** What a block of the paper's ViT and one of its Swin have in common: all but what Swin adds to the attention logits. */
import { softmaxX0 } from '@ivit/nonlinear/convert';
import type { PaperBlockParameters } from '../../paper/types.js';
import { readDyadic, readDyadics, readLinear } from './compiled-numbers.js';
import { compileMlp, readMlp } from './mlp.js';
import { accumulatorScale, ratio, ratios } from './multipliers.js';
import { biasOf, integersOf, type PaperTensors } from './numbers.js';
import type { QuantizedBlock } from './quantized.js';
import type { PaperBlockScales } from './scales.js';
import { activation, readNorm, readLinear as readQuantizedLinear } from './state-dict-numbers.js';

/** Block `name` of a compiled file. */
export function readCompiledBlock(
  source: PaperTensors,
  name: string,
  dim: number,
  mlpDim: number,
): PaperBlockParameters {
  return {
    norm1: biasOf(source, `${name}.ln1`, dim),
    qact1: readDyadics(source, `${name}.rq_ln1`, dim, 8),
    qkv: readLinear(source, `${name}.qkv`, 3 * dim, dim),
    attnQact1: readDyadics(source, `${name}.rq_qkv`, 3 * dim, 8),
    attnLogits: readDyadics(source, `${name}.rq_attn`, 1, 8),
    softmaxX0: integersOf(source, `${name}.x0`, 1, -(2 ** 31), -1)[0] as number,
    attnMixed: readDyadics(source, `${name}.rq_av`, 1, 8),
    proj: readLinear(source, `${name}.proj`, dim, dim),
    attnProjected: readDyadics(source, `${name}.rq_proj`, dim, 16),
    residual1: readDyadic(source, `${name}.rq_r1`),
    stream1: readDyadic(source, `${name}.rq_i1`),
    norm2: biasOf(source, `${name}.ln2`, dim),
    qact3: readDyadics(source, `${name}.rq_ln2`, dim, 8),
    ...readMlp(source, name, dim, mlpDim),
    residual2: readDyadic(source, `${name}.rq_r2`),
    stream2: readDyadic(source, `${name}.rq_i2`),
  };
}

/** The weights of block `name` in a state dict. */
export function readBlockWeights(source: PaperTensors, name: string, dim: number, mlpDim: number): QuantizedBlock {
  return {
    norm1: readNorm(source, `${name}.norm1`, dim),
    qkv: readQuantizedLinear(source, `${name}.attn.qkv`, 3 * dim, dim, 'fc'),
    proj: readQuantizedLinear(source, `${name}.attn.proj`, dim, dim, 'fc'),
    norm2: readNorm(source, `${name}.norm2`, dim),
    fc1: readQuantizedLinear(source, `${name}.mlp.fc1`, mlpDim, dim, 'fc'),
    fc2: readQuantizedLinear(source, `${name}.mlp.fc2`, dim, mlpDim, 'fc'),
  };
}

/** Scales that blocks of both families have under the same names. */
export type CommonScales = Omit<PaperBlockScales, 'attnQact2' | 'attnQact3'>;

/** Those of block `name` in a state dict. */
export function readCommonScales(source: PaperTensors, name: string): CommonScales {
  return {
    qact1: activation(source, `${name}.qact1`),
    attnQact1: activation(source, `${name}.attn.qact1`),
    attnLogits: activation(source, `${name}.attn.qact_attn1`),
    qact2: activation(source, `${name}.qact2`),
    qact3: activation(source, `${name}.qact3`),
    mlpQactGelu: activation(source, `${name}.mlp.qact_gelu`),
    mlpQact1: activation(source, `${name}.mlp.qact1`),
    mlpQact2: activation(source, `${name}.mlp.qact2`),
    qact4: activation(source, `${name}.qact4`),
  };
}

/** A module's name in the checkpoint, below the block's, and its scale. */
interface NamedScale {
  readonly module: string;
  readonly scale: number;
}

/** Where the families differ. */
export interface AttentionScales {
  /** Residual stream that enters the block. */
  readonly stream: number;
  /** Channels of a head. */
  readonly headWidth: number;
  /** What Shiftmax reads. */
  readonly logits: number;
  /** Unit of the probabilities. */
  readonly probability: number;
  /** Probabilities times v. */
  readonly mixed: NamedScale;
  readonly projected: NamedScale;
}

/**
 * Block `name`, its scales made multipliers.
 *
 * @throws IvitError `E_MODEL_SCALE`.
 */
export function compileBlock(
  name: string,
  block: QuantizedBlock,
  s: CommonScales,
  { stream, headWidth, logits, probability, mixed, projected }: AttentionScales,
): PaperBlockParameters {
  const inverseRoot = Math.fround(1 / Math.sqrt(headWidth));
  const products = Math.fround(Math.fround(s.attnQact1 * s.attnQact1) * inverseRoot);
  return {
    norm1: block.norm1.bias,
    qact1: ratios(`${name}.qact1`, block.norm1.scale, s.qact1),
    qkv: block.qkv,
    attnQact1: ratios(`${name}.attn.qact1`, accumulatorScale(block.qkv, s.qact1), s.attnQact1),
    attnLogits: ratios(`${name}.attn.qact_attn1`, products, s.attnLogits),
    softmaxX0: softmaxX0(logits),
    attnMixed: ratios(`${name}.${mixed.module}`, Math.fround(probability * s.attnQact1), mixed.scale),
    proj: block.proj,
    attnProjected: ratios(`${name}.${projected.module}`, accumulatorScale(block.proj, mixed.scale), projected.scale),
    residual1: ratio(`${name}.qact2`, projected.scale, s.qact2),
    stream1: ratio(`${name}.qact2`, stream, s.qact2),
    norm2: block.norm2.bias,
    qact3: ratios(`${name}.qact3`, block.norm2.scale, s.qact3),
    ...compileMlp(name, block, s),
    residual2: ratio(`${name}.qact4`, s.mlpQact2, s.qact4),
    stream2: ratio(`${name}.qact4`, s.qact2, s.qact4),
  };
}
