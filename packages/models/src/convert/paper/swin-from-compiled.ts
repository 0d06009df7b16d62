import { dyadicFromRatio } from '@ivit/dyadic/convert';
import type { TensorEntry } from '@ivit/formats/safetensors';
import { IvitError, type Program } from '@ivit/program';
import { type SwinBlockGeometry, type SwinConfig, swinStages } from '../../swin/geometry.js';
import type { PaperSwinBlockParameters, PaperSwinStageParameters } from '../../swin/paper-parameters.js';
import { buildPaperSwinProgram } from '../../swin/paper-program.js';
import { shiftMask } from '../../swin/windows.js';
import { readCompiledBlock } from './block.js';
import { readDyadic, readDyadics, readLinear } from './compiled-numbers.js';
import { pixelTable } from './multipliers.js';
import {
  biasOf,
  hasTensor,
  integersOf,
  numbersOf,
  type PaperTensors,
  paperTensors,
  permutePatchKernel,
  scaleOf,
  shapeOfTensor,
} from './numbers.js';
import type { PaperSwinOptions } from './swin-from-state-dict.js';

const INT32_MAX = 2 ** 31 - 1;

function one(source: PaperTensors, name: string, hi: number): number {
  return integersOf(source, name, 1, 0, hi)[0] as number;
}

function readConfig(source: PaperTensors): SwinConfig {
  const depths: number[] = [];
  const heads: number[] = [];
  while (hasTensor(source, `depths.${depths.length}`)) {
    heads.push(one(source, `heads.${depths.length}`, 4096));
    depths.push(one(source, `depths.${depths.length}`, 4096));
  }
  const patchSize = one(source, 'patch', 4096);
  const windows = depths.map((_, stage) => one(source, `layers.${stage}.blocks.0.ws`, 4096));
  return {
    imageSize: one(source, 'layers.0.blocks.0.res', 65536) * patchSize,
    patchSize,
    dim: one(source, 'dim', 65536),
    depths,
    heads,
    windowSize: windows.reduce((largest, window) => Math.max(largest, window), 0),
  };
}

/** The block's own record of its geometry must be the one its index decides. */
function checkGeometry(source: PaperTensors, name: string, block: SwinBlockGeometry): void {
  const claims = { res: block.side, C: block.dim, heads: block.heads, ws: block.window, sh: block.shift };
  for (const [key, expected] of Object.entries(claims)) {
    const found = one(source, `${name}.${key}`, 65536);
    if (found === expected) continue;
    throw new IvitError('E_MODEL_SHAPE', `${name}.${key} is ${found}, but the geometry makes it ${expected}`, {
      where: source.where,
      hint: 'The compiled form is damaged or of another architecture.',
    });
  }
}

function readMaskUnits(source: PaperTensors, name: string, { side, window, shift }: SwinBlockGeometry): number {
  if (shift === 0) return 0;
  const mask = integersOf(source, `${name}.mask`, side * side * window * window, -INT32_MAX, 0);
  const units = mask.reduce((least, entry) => Math.min(least, entry), 0);
  if (shiftMask(side, window, shift).every((entry, pair) => mask[pair] === (entry === 0 ? 0 : units))) return units;
  throw new IvitError('E_MODEL_SHAPE', `${name}.mask is not one number where a shift by ${shift} masks, 0 elsewhere`, {
    where: source.where,
    hint: 'The compiled form is damaged or of another architecture.',
  });
}

function readBlock(
  source: PaperTensors,
  name: string,
  geometry: SwinBlockGeometry,
  mlpDim: number,
): PaperSwinBlockParameters {
  checkGeometry(source, name, geometry);
  const { dim, heads, window } = geometry;
  return {
    ...readCompiledBlock(source, name, dim, mlpDim),
    logitsPart: readDyadic(source, `${name}.rq_t1`),
    positionBias: Int8Array.from(integersOf(source, `${name}.rpb`, heads * window ** 4, -128, 127)),
    biasPart: readDyadic(source, `${name}.rq_t2`),
    maskUnits: readMaskUnits(source, name, geometry),
  };
}

function readStages(source: PaperTensors, config: SwinConfig): readonly PaperSwinStageParameters[] {
  return swinStages(config).map((stage, index) => {
    const name = `layers.${index}`;
    const { dim } = stage;
    const mlpDim = shapeOfTensor(source, `${name}.blocks.0.mlp.fc1.w`)[0] ?? 0;
    const blocks = stage.blocks.map((block, at) => readBlock(source, `${name}.blocks.${at}`, block, mlpDim));
    if (!stage.merges) return { mlpDim, blocks };
    const merging = {
      norm: biasOf(source, `${name}.down.ln`, 4 * dim),
      qact1: readDyadics(source, `${name}.down.rq_ln`, 4 * dim, 8),
      reduction: { weight: Int8Array.from(integersOf(source, `${name}.down.red.w`, 8 * dim * dim, -128, 127)) },
      qact2: readDyadics(source, `${name}.down.rq`, 2 * dim, 8),
    };
    return { mlpDim, blocks, merging };
  });
}

/**
 * The same program from the compiled form of a Swin, under the names of the golden vectors' `compiled.safetensors`.
 *
 * @throws IvitError as {@link buildPaperSwin}.
 */
export function buildCompiledPaperSwin(tensors: ReadonlyMap<string, TensorEntry>, options: PaperSwinOptions): Program {
  const source = paperTensors(tensors, options.where ?? 'compiled model');
  const config = readConfig(source);
  const { dim, patchSize } = config;
  const area = patchSize * patchSize;
  const last = dim * 2 ** (config.depths.length - 1);
  const classes = shapeOfTensor(source, 'head.w')[0] ?? 0;
  const patchEmbed = readLinear(source, 'pe', dim, 3 * area);
  const parameters = {
    config,
    classes,
    pixelTable: pixelTable(options.preprocess, scaleOf(source, 's_in')),
    patchEmbed: { ...patchEmbed, weight: permutePatchKernel(patchEmbed.weight, area) },
    patchQact: readDyadics(source, 'rq_bn', dim, 8),
    patchNorm: biasOf(source, 'ln_pe', dim),
    patchNormQact: readDyadics(source, 'rq_pe', dim, 16),
    qact1: readDyadics(source, 'rq_1', 1, 16),
    stages: readStages(source, config),
    norm: biasOf(source, 'ln', last),
    qact2: readDyadics(source, 'rq_ln', last, 8),
    qact3: readDyadics(source, 'rq_pool', 1, 8),
    head: readLinear(source, 'head', classes, last),
    headUnits: Array.from(numbersOf(source, 's_out', classes), (scale) => dyadicFromRatio(scale)),
  };
  return buildPaperSwinProgram(parameters, options);
}
