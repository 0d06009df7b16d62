import { createProgramBuilder, type Program, type ProgramBuilder } from '@ivit/program';
import { finishPaperProgram } from '../paper/logits.js';
import { layernorm, linear, requantize, residualAdd, writeMlp, writePatches } from '../paper/steps.js';
import type { PaperProgramDetails } from '../paper/types.js';
import { type SwinBlockGeometry, type SwinStageGeometry, swinStages } from './geometry.js';
import { writeWindowAttention } from './paper-attention.js';
import type { PaperMergingParameters, PaperSwinBlockParameters, PaperSwinParameters } from './paper-parameters.js';
import { mergeRows } from './windows.js';

function writeBlock(
  builder: ProgramBuilder,
  made: Set<string>,
  stage: string,
  name: string,
  geometry: SwinBlockGeometry,
  mlpDim: number,
  block: PaperSwinBlockParameters,
  stream: string,
): string {
  layernorm(builder, `${name}.norm1`, stream, block.norm1);
  const ln1 = requantize(builder, `${name}.qact1`, { value: `${name}.norm1` }, 2, block.qact1, 'i8');
  const attention = writeWindowAttention(builder, made, stage, name, geometry, block, ln1);
  const between = residualAdd(builder, `${name}.qact2`, attention, block.residual1, { value: stream }, block.stream1);
  layernorm(builder, `${name}.norm2`, between, block.norm2);
  const ln2 = requantize(builder, `${name}.qact3`, { value: `${name}.norm2` }, 2, block.qact3, 'i8');
  const mlp = writeMlp(builder, name, geometry.dim, mlpDim, block, ln2);
  return residualAdd(builder, `${name}.qact4`, mlp, block.residual2, { value: between }, block.stream2);
}

/** Four neighbors side by side, normalized, to half of their channels: i8 `[side²/4, 2C]`. */
function writeMerging(
  builder: ProgramBuilder,
  stage: string,
  { side, dim }: SwinStageGeometry,
  merging: PaperMergingParameters,
  stream: string,
): string {
  const name = `${stage}.downsample`;
  const rows = builder.constant(`${name}.rows`, 'i32', [side * side], mergeRows(side));
  builder.add({ op: 'gather', result: `${name}.merged`, x: { value: stream }, rows, width: dim }, [
    (side * side) / 4,
    4 * dim,
  ]);
  layernorm(builder, `${name}.norm`, `${name}.merged`, merging.norm);
  requantize(builder, `${name}.qact1`, { value: `${name}.norm` }, 2, merging.qact1, 'i8');
  linear(builder, `${name}.reduction`, { value: `${name}.qact1` }, 2 * dim, 4 * dim, merging.reduction);
  return requantize(builder, `${name}.qact2`, { value: `${name}.reduction` }, 2, merging.qact2, 'i8');
}

/**
 * The paper's Swin (I-ViT) as a program: `pixels` u8 [H,W,3] to `logits` i32 [classes] in units of 2^-outputShift.
 * Values are named as the checkpoint's modules; those between `attn.windows` and `attn.qact4` are in window order.
 *
 * @throws IvitError `E_MODEL_SHAPE`, `E_MODEL_SCALE`; `E_PROGRAM_…` where the parameters cannot be proved free of overflow.
 */
export function buildPaperSwinProgram(parameters: PaperSwinParameters, details: PaperProgramDetails): Program {
  const { config, classes } = parameters;
  const { imageSize } = config;
  const stages = swinStages(config);
  const builder = createProgramBuilder('pixels', [imageSize, imageSize, 3]);
  const proj = writePatches(builder, config, parameters);
  requantize(builder, 'patch_embed.qact_before_norm', { value: proj }, 2, parameters.patchQact, 'i8');
  layernorm(builder, 'patch_embed.norm', 'patch_embed.qact_before_norm', parameters.patchNorm);
  requantize(builder, 'patch_embed.qact', { value: 'patch_embed.norm' }, 2, parameters.patchNormQact, 'i16');
  let stream = requantize(builder, 'qact1', { value: 'patch_embed.qact' }, 2, parameters.qact1, 'i16');
  for (const [index, stage] of stages.entries()) {
    const name = `layers.${index}`;
    const numbers = parameters.stages[index];
    const made = new Set<string>();
    for (const [at, geometry] of stage.blocks.entries()) {
      const block = numbers?.blocks[at];
      if (numbers === undefined || block === undefined) throw new RangeError(`${name} has no block ${at}`);
      stream = writeBlock(builder, made, name, `${name}.blocks.${at}`, geometry, numbers.mlpDim, block, stream);
    }
    if (!stage.merges) continue;
    if (numbers?.merging === undefined) throw new RangeError(`${name} has no merging`);
    stream = writeMerging(builder, name, stage, numbers.merging, stream);
  }
  const dim = builder.type(stream).shape[1] ?? 1;
  layernorm(builder, 'norm', stream, parameters.norm);
  requantize(builder, 'qact2', { value: 'norm' }, 2, parameters.qact2, 'i8');
  builder.add({ op: 'mean', result: 'avgpool', x: { value: 'qact2' }, axis: 0 });
  requantize(builder, 'qact3', { value: 'avgpool' }, 1, parameters.qact3, 'i8');
  linear(builder, 'head', { value: 'qact3' }, classes, dim, parameters.head);
  return finishPaperProgram(builder, 'swin', imageSize, parameters.headUnits, details);
}
