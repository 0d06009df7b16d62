import { dyadicFromRatio } from '@ivit/dyadic/convert';
import type { TensorEntry } from '@ivit/formats/safetensors';
import type { Program } from '@ivit/program';
import type { PaperVitParameters } from '../../vit/paper-parameters.js';
import { buildPaperProgram } from '../../vit/paper-program.js';
import { readCompiledBlock } from './block.js';
import { readDyadic, readDyadics, readLinear } from './compiled-numbers.js';
import type { PaperVitOptions } from './from-state-dict.js';
import { readGeometry } from './geometry.js';
import { pixelTable } from './multipliers.js';
import {
  biasOf,
  integersOf,
  numbersOf,
  type PaperTensors,
  paperTensors,
  permutePatchKernel,
  scaleOf,
} from './numbers.js';

function readParameters(source: PaperTensors, options: PaperVitOptions): PaperVitParameters {
  const geometry = readGeometry(source, {
    patchEmbed: 'pe.w',
    position: 'pos',
    fc1: (index) => `blocks.${index}.mlp.fc1.w`,
    head: 'head.w',
  });
  const { dim, depth, mlpDim, classes, imageSize, patchSize } = geometry;
  const area = patchSize * patchSize;
  const patchEmbed = readLinear(source, 'pe', dim, 3 * area);
  const rows = 1 + (imageSize / patchSize) ** 2;
  return {
    ...geometry,
    heads: integersOf(source, 'heads', 1, 1, dim)[0] as number,
    pixelTable: pixelTable(options.preprocess, scaleOf(source, 's_in')),
    patchEmbed: { ...patchEmbed, weight: permutePatchKernel(patchEmbed.weight, area) },
    patchQact: readDyadics(source, 'rq_pe', dim, 16),
    classToken: biasOf(source, 'cls', dim),
    position: Int16Array.from(integersOf(source, 'pos', rows * dim, -32768, 32767)),
    patchPart: readDyadic(source, 'rq_a'),
    positionPart: readDyadic(source, 'rq_b'),
    blocks: Array.from({ length: depth }, (_, index) => readCompiledBlock(source, `blocks.${index}`, dim, mlpDim)),
    norm: biasOf(source, 'ln', dim),
    qact2: readDyadics(source, 'rq_ln', dim, 8),
    head: readLinear(source, 'head', classes, dim),
    headUnits: Array.from(numbersOf(source, 's_out', classes), (scale) => dyadicFromRatio(scale)),
  };
}

/**
 * The same program from the compiled form of a ViT (`m`, `e`, `x0`, integer weights; `s_in` and `s_out` are the only
 * floats), under the names of the golden vectors' `compiled.safetensors`.
 *
 * @throws IvitError as {@link buildPaperVit}.
 */
export function buildCompiledPaperVit(tensors: ReadonlyMap<string, TensorEntry>, options: PaperVitOptions): Program {
  const source = paperTensors(tensors, options.where ?? 'compiled model');
  return buildPaperProgram(readParameters(source, options), options);
}
