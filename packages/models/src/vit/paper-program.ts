import { requantizeSum, saturate } from '@ivit/dyadic';
import { createProgramBuilder, type Program, type ProgramBuilder } from '@ivit/program';
import { finishPaperProgram } from '../paper/logits.js';
import {
  layernorm,
  linear,
  requantize,
  requireMultiple,
  residualAdd,
  SOFTMAX_N,
  writeMlp,
  writePatches,
} from '../paper/steps.js';
import type { PaperBlockParameters, PaperProgramDetails } from '../paper/types.js';
import type { PaperVitParameters } from './paper-parameters.js';

/** Names follow the checkpoint's modules, so that every accumulator can be compared with its trace. */
interface Writer {
  readonly builder: ProgramBuilder;
  readonly parameters: PaperVitParameters;
  /** Tokens with the class token. */
  readonly tokens: number;
}

/** The class token's row of the residual stream: clamp16(rne(cls·m/2^e) + rne(pos[0]·m1/2^e1)). */
function classRow({ classToken, position, patchPart, positionPart }: PaperVitParameters): Int16Array {
  return Int16Array.from(classToken, (token, c) => {
    const other = position[c] as number;
    return saturate(
      requantizeSum(token, patchPart.m, patchPart.e, other, positionPart.m, positionPart.e),
      -32768,
      32767,
    );
  });
}

function writeEmbedding(writer: Writer): string {
  const { builder, parameters } = writer;
  const { dim, position } = parameters;
  const patches = writer.tokens - 1;
  writePatches(builder, parameters, parameters);
  requantize(builder, 'patch_embed.qact', { value: 'patch_embed.proj' }, 2, parameters.patchQact, 'i16');
  builder.constant('qact_pos', 'i16', [patches, dim], position.subarray(dim));
  residualAdd(
    builder,
    'qact1.patches',
    'patch_embed.qact',
    parameters.patchPart,
    { constant: 'qact_pos' },
    parameters.positionPart,
  );
  builder.constant('qact1.class', 'i16', [1, dim], classRow(parameters));
  return builder.add({
    op: 'concat',
    result: 'qact1',
    operands: [{ constant: 'qact1.class' }, { value: 'qact1.patches' }],
  });
}

function writeAttention(writer: Writer, name: string, block: PaperBlockParameters, x: string): string {
  const { builder, parameters, tokens } = writer;
  const { dim, heads } = parameters;
  const width = dim / heads; // float-ok: exact, checked by the caller
  const attn = `${name}.attn`;
  const qkv = linear(builder, `${attn}.qkv`, { value: x }, 3 * dim, dim, block.qkv);
  const quantized = requantize(builder, `${attn}.qact1`, { value: qkv }, 2, block.attnQact1, 'i8');
  const logits = builder.add({
    op: 'matmul',
    result: `${attn}.matmul_1`,
    a: { value: quantized, view: { offset: 0, shape: [heads, tokens, width], strides: [width, 3 * dim, 1] } },
    b: { value: quantized, view: { offset: dim, shape: [heads, width, tokens], strides: [width, 1, 3 * dim] } },
  });
  const scaled = requantize(builder, `${attn}.qact_attn1`, { value: logits }, 3, block.attnLogits, 'i8');
  const probabilities = builder.add({
    op: 'softmax',
    result: `${attn}.int_softmax`,
    x: { value: scaled },
    exponential: { shift: block.softmaxX0, n: SOFTMAX_N },
    bits: 16,
  });
  const mixed = builder.add({
    op: 'matmul',
    result: `${attn}.matmul_2`,
    a: { value: probabilities },
    b: { value: quantized, view: { offset: 2 * dim, shape: [heads, tokens, width], strides: [width, 3 * dim, 1] } },
  });
  const byToken = { offset: 0, shape: [tokens, heads, width], strides: [width, tokens * width, 1] };
  requantize(builder, `${attn}.qact2`, { value: mixed, view: byToken }, 3, block.attnMixed, 'i8');
  const joined = builder.reshape(`${attn}.qact2`, [tokens, dim]);
  linear(builder, `${attn}.proj`, joined, dim, dim, block.proj);
  return requantize(builder, `${attn}.qact3`, { value: `${attn}.proj` }, 2, block.attnProjected, 'i16');
}

function writeBlock(writer: Writer, name: string, block: PaperBlockParameters, stream: string): string {
  const { builder, parameters } = writer;
  layernorm(builder, `${name}.norm1`, stream, block.norm1);
  const ln1 = requantize(builder, `${name}.qact1`, { value: `${name}.norm1` }, 2, block.qact1, 'i8');
  const attention = writeAttention(writer, name, block, ln1);
  const between = residualAdd(builder, `${name}.qact2`, attention, block.residual1, { value: stream }, block.stream1);
  layernorm(builder, `${name}.norm2`, between, block.norm2);
  const ln2 = requantize(builder, `${name}.qact3`, { value: `${name}.norm2` }, 2, block.qact3, 'i8');
  const mlp = writeMlp(builder, name, parameters.dim, parameters.mlpDim, block, ln2);
  return residualAdd(builder, `${name}.qact4`, mlp, block.residual2, { value: between }, block.stream2);
}

/**
 * The paper's ViT (I-ViT) as a program: `pixels` u8 [H,W,3] to `logits` i32 [classes] in units of 2^-outputShift.
 * Values are named as the checkpoint's modules; `head` are the raw accumulators.
 *
 * @throws IvitError `E_MODEL_SHAPE`, `E_MODEL_SCALE`; `E_PROGRAM_…` where the parameters cannot be proved free of overflow.
 */
export function buildPaperProgram(parameters: PaperVitParameters, details: PaperProgramDetails): Program {
  const { imageSize, patchSize, dim, heads, classes } = parameters;
  requireMultiple(imageSize, patchSize, 'image and patch size');
  requireMultiple(dim, heads, 'dim and heads');
  const side = imageSize / patchSize; // float-ok: exact, checked above
  const builder = createProgramBuilder('pixels', [imageSize, imageSize, 3]);
  const writer: Writer = { builder, parameters, tokens: 1 + side * side };
  let stream = writeEmbedding(writer);
  for (const [index, block] of parameters.blocks.entries()) {
    stream = writeBlock(writer, `blocks.${index}`, block, stream);
  }
  layernorm(builder, 'norm', stream, parameters.norm);
  const classToken = { value: 'norm', view: { offset: 0, shape: [dim], strides: [1] } };
  requantize(builder, 'qact2', classToken, 1, parameters.qact2, 'i8');
  linear(builder, 'head', { value: 'qact2' }, classes, dim, parameters.head);
  return finishPaperProgram(builder, 'vit', imageSize, parameters.headUnits, details);
}
