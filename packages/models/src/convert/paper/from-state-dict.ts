import type { TensorEntry } from '@ivit/formats/safetensors';
import { IvitError, type Program } from '@ivit/program';
import { buildPaperProgram } from '../../vit/paper-program.js';
import type { VitPreprocess } from '../../vit/types.js';
import { defaultHeads } from '../reader/vit-config.js';
import { readBlockWeights, readCommonScales } from './block.js';
import { compilePaperVit } from './compile.js';
import { readGeometry } from './geometry.js';
import {
  hasTensor,
  numbersOf,
  type PaperTensors,
  paperTensors,
  permutePatchKernel,
  requireWeightsTaken,
} from './numbers.js';
import type { PaperQuantizedVit } from './quantized.js';
import type { PaperBlockScales } from './scales.js';
import { activation, readLinear, readNorm } from './state-dict-numbers.js';

/** What a paper checkpoint does not hold. */
export interface PaperVitOptions {
  /** What errors call the checkpoint. */
  readonly where?: string;
  /** Attention heads; needed unless dim is 192, 384, 768 or 1024 (heads 64 wide). No tensor tells. */
  readonly heads?: number;
  readonly preprocess: VitPreprocess;
  readonly labels?: readonly string[];
}

function readBlockScales(source: PaperTensors, name: string): PaperBlockScales {
  return {
    ...readCommonScales(source, name),
    attnQact2: activation(source, `${name}.attn.qact2`),
    attnQact3: activation(source, `${name}.attn.qact3`),
  };
}

function readStateDict(source: PaperTensors, options: PaperVitOptions): PaperQuantizedVit {
  if (!hasTensor(source, 'patch_embed.proj.weight_integer') || !hasTensor(source, 'pos_embed')) {
    throw new IvitError('E_MODEL_UNKNOWN_ARCHITECTURE', 'this is no ViT state dict of I-ViT', {
      where: source.where,
      hint: 'It has patch_embed.proj.weight_integer and pos_embed; a float checkpoint is read by readVit.',
    });
  }
  const geometry = readGeometry(source, {
    patchEmbed: 'patch_embed.proj.weight_integer',
    position: 'pos_embed',
    fc1: (index) => `blocks.${index}.mlp.fc1.weight_integer`,
    head: 'head.weight_integer',
  });
  const { dim, depth, mlpDim, classes, imageSize, patchSize } = geometry;
  const area = patchSize * patchSize;
  const patchEmbed = readLinear(source, 'patch_embed.proj', dim, 3 * area, 'conv');
  const rows = 1 + (imageSize / patchSize) ** 2;
  const blocks = Array.from({ length: depth }, (_, index) => `blocks.${index}`);
  return {
    ...geometry,
    heads: options.heads ?? defaultHeads(dim, source.where),
    preprocess: options.preprocess,
    inputScale: activation(source, 'qact_input'),
    patchEmbed: { ...patchEmbed, weight: permutePatchKernel(patchEmbed.weight, area) },
    classToken: Float32Array.from(numbersOf(source, 'cls_token', dim)),
    position: Float32Array.from(numbersOf(source, 'pos_embed', rows * dim)),
    positionScale: activation(source, 'qact_pos'),
    scales: {
      patchQact: activation(source, 'patch_embed.qact'),
      qact1: activation(source, 'qact1'),
      blocks: blocks.map((name) => readBlockScales(source, name)),
      qact2: activation(source, 'qact2'),
    },
    blocks: blocks.map((name) => readBlockWeights(source, name, dim, mlpDim)),
    norm: readNorm(source, 'norm', dim),
    head: readLinear(source, 'head', classes, dim, 'fc'),
  };
}

/**
 * The integer program of a ViT trained with I-ViT's code, from its state dict: every integer of the program equals the
 * checkpoint's own run (checked against golden traces). Values are named as the checkpoint's modules, `head`
 * are the raw accumulators, `logits` the output at one unit for all classes.
 *
 * @param tensors `weight_integer`, `bias_integer`, scaling factors, `cls_token`, `pos_embed`; integers may be stored as floats.
 * @throws IvitError `E_MODEL_UNKNOWN_ARCHITECTURE`, `E_MODEL_MISSING_TENSOR`, `E_MODEL_SHAPE`, `E_MODEL_NON_FINITE`,
 * `E_MODEL_INTEGER`, `E_MODEL_SCALE`, `E_MODEL_CONFIG`; `E_PROGRAM_…` where no proof against overflow exists.
 */
export function buildPaperVit(tensors: ReadonlyMap<string, TensorEntry>, options: PaperVitOptions): Program {
  const source = paperTensors(tensors, options.where ?? 'state dict');
  const model = readStateDict(source, options);
  requireWeightsTaken(source);
  return buildPaperProgram(compilePaperVit(model), options);
}
