import type { TensorEntry } from '@ivit/formats/safetensors';
import { IvitError, type Program } from '@ivit/program';
import { type SwinBlockGeometry, swinStages } from '../../swin/geometry.js';
import { buildPaperSwinProgram } from '../../swin/paper-program.js';
import type { VitPreprocess } from '../../vit/types.js';
import { readBlockWeights, readCommonScales } from './block.js';
import {
  hasTensor,
  numbersOf,
  type PaperTensors,
  paperTensors,
  permutePatchKernel,
  requireWeightsTaken,
} from './numbers.js';
import { activation, readLinear, readNorm } from './state-dict-numbers.js';
import { compilePaperSwin } from './swin-compile.js';
import { readSwinGeometry } from './swin-geometry.js';
import type { PaperQuantizedSwin, QuantizedMerging, QuantizedSwinStage } from './swin-quantized.js';

/** What a paper checkpoint of Swin does not hold. */
export interface PaperSwinOptions {
  /** What errors call the checkpoint. */
  readonly where?: string;
  /** Input side in pixels; needed only where no stage has two blocks. Checked against the masks otherwise. */
  readonly imageSize?: number;
  readonly preprocess: VitPreprocess;
  readonly labels?: readonly string[];
}

function readBlock(
  source: PaperTensors,
  name: string,
  { dim, heads, window }: SwinBlockGeometry,
  mlpDim: number,
): QuantizedSwinStage['blocks'][number] {
  const table = `${name}.attn.relative_position_bias_table`;
  return {
    weights: {
      ...readBlockWeights(source, name, dim, mlpDim),
      biasTable: Float32Array.from(numbersOf(source, table, (2 * window - 1) ** 2 * heads)),
    },
    scales: {
      ...readCommonScales(source, name),
      attnTable: activation(source, `${name}.attn.qact_table`),
      attnQact2: activation(source, `${name}.attn.qact2`),
      attnQact3: activation(source, `${name}.attn.qact3`),
      attnQact4: activation(source, `${name}.attn.qact4`),
    },
  };
}

function readMerging(source: PaperTensors, name: string, dim: number): QuantizedMerging {
  if (hasTensor(source, `${name}.reduction.bias_integer`)) {
    throw new IvitError('E_MODEL_UNSUPPORTED', `${name}.reduction has a bias`, {
      where: source.where,
      hint: 'Patch merging of the paper has none.',
    });
  }
  return {
    norm: readNorm(source, `${name}.norm`, 4 * dim),
    reduction: readLinear(source, `${name}.reduction`, 2 * dim, 4 * dim, 'fc'),
    qact1: activation(source, `${name}.qact1`),
    qact2: activation(source, `${name}.qact2`),
  };
}

function readStateDict(source: PaperTensors, options: PaperSwinOptions): PaperQuantizedSwin {
  if (!hasTensor(source, 'patch_embed.proj.weight_integer') || !hasTensor(source, 'patch_embed.norm.bias_integer')) {
    throw new IvitError('E_MODEL_UNKNOWN_ARCHITECTURE', 'this is no Swin state dict of I-ViT', {
      where: source.where,
      hint: 'It has patch_embed.proj.weight_integer and patch_embed.norm.bias_integer.',
    });
  }
  const { config, classes, mlpDims } = readSwinGeometry(source, options.imageSize);
  const { dim, patchSize } = config;
  const area = patchSize * patchSize;
  const patchEmbed = readLinear(source, 'patch_embed.proj', dim, 3 * area, 'conv');
  const stages = swinStages(config).map((stage, index): QuantizedSwinStage => {
    const name = `layers.${index}`;
    const mlpDim = mlpDims[index] as number;
    const blocks = stage.blocks.map((block, at) => readBlock(source, `${name}.blocks.${at}`, block, mlpDim));
    if (!stage.merges) return { mlpDim, blocks };
    return { mlpDim, blocks, merging: readMerging(source, `${name}.downsample`, stage.dim) };
  });
  const last = dim * 2 ** (stages.length - 1);
  return {
    config,
    classes,
    preprocess: options.preprocess,
    inputScale: activation(source, 'qact_input'),
    patchEmbed: { ...patchEmbed, weight: permutePatchKernel(patchEmbed.weight, area) },
    patchQact: activation(source, 'patch_embed.qact_before_norm'),
    patchNorm: readNorm(source, 'patch_embed.norm', dim),
    patchNormQact: activation(source, 'patch_embed.qact'),
    qact1: activation(source, 'qact1'),
    stages,
    norm: readNorm(source, 'norm', last),
    qact2: activation(source, 'qact2'),
    qact3: activation(source, 'qact3'),
    head: readLinear(source, 'head', classes, last, 'fc'),
  };
}

/**
 * The integer program of a Swin trained with I-ViT's code, from its state dict: every integer of the program equals the
 * checkpoint's own run (checked against golden traces). Geometry comes from the tensors alone; masks and position indices
 * in the checkpoint must be the ones its geometry makes. Values are named as the checkpoint's modules.
 *
 * @throws IvitError `E_MODEL_UNKNOWN_ARCHITECTURE`, `E_MODEL_MISSING_TENSOR`, `E_MODEL_SHAPE`, `E_MODEL_NON_FINITE`,
 * `E_MODEL_INTEGER`, `E_MODEL_SCALE`, `E_MODEL_MASK_LEAK`, `E_MODEL_UNSUPPORTED`, `E_MODEL_CONFIG`; `E_PROGRAM_…` where no
 * proof against overflow exists.
 */
export function buildPaperSwin(tensors: ReadonlyMap<string, TensorEntry>, options: PaperSwinOptions): Program {
  const source = paperTensors(tensors, options.where ?? 'state dict');
  const model = readStateDict(source, options);
  requireWeightsTaken(source);
  return buildPaperSwinProgram(compilePaperSwin(model), options);
}
