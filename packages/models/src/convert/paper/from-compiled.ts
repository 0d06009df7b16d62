import { type Dyadic, normalizeDyadic } from '@ivit/dyadic';
import { dyadicFromRatio } from '@ivit/dyadic/convert';
import type { TensorEntry } from '@ivit/formats/safetensors';
import { IvitError, type Program } from '@ivit/program';
import type { Dyadics, IntegerLinear, PaperBlockParameters, PaperVitParameters } from '../../vit/paper-parameters.js';
import { buildPaperProgram } from '../../vit/paper-program.js';
import { pixelTable } from './compile.js';
import type { PaperVitOptions } from './from-state-dict.js';
import { readGeometry } from './geometry.js';
import { biasOf, integersOf, numbersOf, type PaperTensors, permutePatchKernel, scaleOf } from './numbers.js';

/** One requantization of the compiled form; m may be 2^31 and e beyond 62 before normalization. */
function readDyadics(source: PaperTensors, name: string, count: number, bits?: 8 | 16): Dyadics {
  if (bits !== undefined && integersOf(source, `${name}.bits`, 1, 1, 32)[0] !== bits) {
    throw new IvitError('E_MODEL_UNSUPPORTED', `${name} quantizes to other than ${bits} bits`, {
      where: source.where,
      hint: 'Only the widths of the paper are supported.',
    });
  }
  const multipliers = integersOf(source, `${name}.m`, count, -(2 ** 31), 2 ** 31);
  const exponents = integersOf(source, `${name}.e`, count, 0, 2 ** 15);
  const factors = Array.from(multipliers, (m, index) => normalizeDyadic(m, exponents[index] as number));
  return { m: Int32Array.from(factors, (factor) => factor.m), e: Uint8Array.from(factors, (factor) => factor.e) };
}

function readDyadic(source: PaperTensors, name: string): Dyadic {
  const { m, e } = readDyadics(source, name, 1);
  return { m: m[0] as number, e: e[0] as number };
}

function readLinear(source: PaperTensors, name: string, n: number, k: number): IntegerLinear {
  return {
    weight: Int8Array.from(integersOf(source, `${name}.w`, n * k, -128, 127)),
    bias: biasOf(source, `${name}.b`, n),
  };
}

function readBlock(source: PaperTensors, name: string, dim: number, mlpDim: number): PaperBlockParameters {
  return {
    norm1: biasOf(source, `${name}.ln1`, dim),
    qact1: readDyadics(source, `${name}.rq_ln1`, dim, 8),
    qkv: readLinear(source, `${name}.qkv`, 3 * dim, dim),
    attnQact1: readDyadics(source, `${name}.rq_qkv`, 3 * dim, 8),
    attnLogits: readDyadics(source, `${name}.rq_attn`, 1, 8),
    softmaxX0: integersOf(source, `${name}.x0`, 1, -(2 ** 31), -1)[0] as number,
    attnQact2: readDyadics(source, `${name}.rq_av`, 1, 8),
    proj: readLinear(source, `${name}.proj`, dim, dim),
    attnQact3: readDyadics(source, `${name}.rq_proj`, dim, 16),
    residual1: readDyadic(source, `${name}.rq_r1`),
    stream1: readDyadic(source, `${name}.rq_i1`),
    norm2: biasOf(source, `${name}.ln2`, dim),
    qact3: readDyadics(source, `${name}.rq_ln2`, dim, 8),
    fc1: readLinear(source, `${name}.mlp.fc1`, mlpDim, dim),
    mlpQactGelu: readDyadics(source, `${name}.mlp.rq_gelu`, mlpDim, 8),
    geluX0: integersOf(source, `${name}.mlp.x0`, 1, -127, -1)[0] as number,
    mlpQact1: readDyadics(source, `${name}.mlp.rq1`, 1, 8),
    fc2: readLinear(source, `${name}.mlp.fc2`, dim, mlpDim),
    mlpQact2: readDyadics(source, `${name}.mlp.rq2`, dim, 16),
    residual2: readDyadic(source, `${name}.rq_r2`),
    stream2: readDyadic(source, `${name}.rq_i2`),
  };
}

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
    blocks: Array.from({ length: depth }, (_, index) => readBlock(source, `blocks.${index}`, dim, mlpDim)),
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
  const source = { tensors, where: options.where ?? 'compiled model' };
  return buildPaperProgram(readParameters(source, options), options);
}
