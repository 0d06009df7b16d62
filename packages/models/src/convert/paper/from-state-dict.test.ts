import type { TensorEntry } from '@ivit/formats/safetensors';
import { describe, expect, it } from 'vitest';
import { PREPROCESS, readTensors } from '../../../test/vectors.js';
import { buildCompiledPaperVit } from './from-compiled.js';
import { buildPaperVit } from './from-state-dict.js';

const STATE = readTensors('tiny_vit/state_dict.safetensors');
const OPTIONS = { heads: 2, preprocess: PREPROCESS, where: 'tiny' };

/** The tensor with float32 values written over it from the start. */
function overwritten(name: string, ...values: number[]): Map<string, TensorEntry> {
  const tensors = new Map(STATE);
  const entry = tensors.get(name);
  if (entry === undefined) throw new Error(name);
  const bytes = entry.bytes.slice();
  bytes.set(new Uint8Array(Float32Array.from(values).buffer));
  tensors.set(name, { ...entry, bytes });
  return tensors;
}

function without(name: string): Map<string, TensorEntry> {
  const tensors = new Map(STATE);
  tensors.delete(name);
  return tensors;
}

function rejects(code: string, text: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(text) });
}

describe('buildPaperVit refuses', () => {
  it.each([
    [
      'E_MODEL_MISSING_TENSOR',
      'blocks.1.attn.qact2.act_scaling_factor',
      without('blocks.1.attn.qact2.act_scaling_factor'),
    ],
    ['E_MODEL_UNKNOWN_ARCHITECTURE', 'no ViT state dict', without('patch_embed.proj.weight_integer')],
    ['E_MODEL_INTEGER', 'head.weight_integer holds 0.5 at index 1', overwritten('head.weight_integer', 1, 0.5)],
    ['E_MODEL_INTEGER', 'head.weight_integer holds 128 at index 0', overwritten('head.weight_integer', 128)],
    ['E_MODEL_NON_FINITE', 'pos_embed holds NaN at index 2', overwritten('pos_embed', 0, 0, Number.NaN)],
    ['E_MODEL_SCALE', 'qact_pos.act_scaling_factor is 0', overwritten('qact_pos.act_scaling_factor', 0)],
    ['E_MODEL_SCALE', 'a class token of', overwritten('cls_token', 1e30)],
  ])('%s: %s', (code, text, tensors) => {
    expect(() => buildPaperVit(tensors, OPTIONS)).toThrow(rejects(code, text));
  });

  it('a width whose heads nobody told, and heads that do not divide it', () => {
    expect(() => buildPaperVit(STATE, { preprocess: PREPROCESS })).toThrow(rejects('E_MODEL_CONFIG', 'dim 64'));
    expect(() => buildPaperVit(STATE, { ...OPTIONS, heads: 3 })).toThrow(
      rejects('E_MODEL_SHAPE', '64 is no multiple of 3'),
    );
  });
});

describe('buildPaperVit', () => {
  it('clamps a bias of 2^31, as float32 checkpoints hold it, to int32', () => {
    const tensors = overwritten('head.bias_integer', 2 ** 31);
    // The row's weights are not zero, so no accumulator of it can be proved to fit.
    expect(() => buildPaperVit(tensors, OPTIONS)).toThrow(rejects('E_PROGRAM_OVERFLOW', ''));
    const entry = tensors.get('head.weight_integer') as TensorEntry;
    tensors.set(entry.name, { ...entry, bytes: entry.bytes.slice().fill(0, 0, 4 * 64) });
    const program = buildPaperVit(tensors, OPTIONS);
    expect(program.constants['head.bias']?.data[0]).toBe(2 ** 31 - 1);
  });

  it('rescales a norm channel whose bias is beyond the op', () => {
    const program = buildPaperVit(overwritten('blocks.0.norm2.bias_integer', 2 ** 31), OPTIONS);
    expect(program.constants['blocks.0.norm2.bias']?.data[0]).toBe(Math.round(0.9 * 2 ** 30));
  });

  it('carries labels and the image description', () => {
    const labels = Array.from({ length: 10 }, (_, index) => `digit ${index}`);
    const program = buildPaperVit(STATE, { ...OPTIONS, labels });
    expect(program.labels).toEqual(labels);
    expect(program.image).toEqual({ resize: 32, interpolation: 'bicubic', crop: { height: 32, width: 32 } });
  });
});

describe('buildCompiledPaperVit refuses', () => {
  it('another width and a missing tensor', () => {
    const compiled = new Map(readTensors('tiny_vit/compiled.safetensors'));
    const bits = compiled.get('blocks.0.rq_attn.bits') as TensorEntry;
    expect(() =>
      buildCompiledPaperVit(new Map(compiled).set(bits.name, { ...bits, bytes: Uint8Array.of(4) }), OPTIONS),
    ).toThrow(rejects('E_MODEL_UNSUPPORTED', 'blocks.0.rq_attn'));
    compiled.delete('rq_ln.e');
    expect(() => buildCompiledPaperVit(compiled, OPTIONS)).toThrow(rejects('E_MODEL_MISSING_TENSOR', 'rq_ln.e'));
  });
});
