import { createReferenceBackend } from '@ivit/backend-reference';
import type { TensorEntry } from '@ivit/formats/safetensors';
import { validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { compareRun } from '../../../test/golden.js';
import { randomPaperSwin } from '../../../test/random-paper-swin.js';
import { HAS_SHARED, SHARED } from '../../../test/shared.js';
import { integersOf, PREPROCESS, readTensors, readTraceHashes } from '../../../test/vectors.js';
import { maskUnits } from './swin-compile.js';
import { buildCompiledPaperSwin } from './swin-from-compiled.js';
import { buildPaperSwin } from './swin-from-state-dict.js';

const CONFIG = { imageSize: 16, patchSize: 2, dim: 8, depths: [2, 1], heads: [1, 2], windowSize: 4 };
const OPTIONS = { preprocess: PREPROCESS, where: 'tiny' };

type Tensors = Map<string, TensorEntry>;

function float(name: string, shape: readonly number[], data: ArrayLike<number>): TensorEntry {
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(data).buffer), offset: 0 };
}

function changed(change: (tensors: Tensors) => void): Tensors {
  const tensors = randomPaperSwin(CONFIG);
  change(tensors);
  return tensors;
}

/** One element of a float tensor replaced. */
function set(tensors: Tensors, name: string, index: number, value: number): void {
  const entry = tensors.get(name);
  if (entry === undefined) throw new Error(name);
  const data = new Float32Array(entry.bytes.slice().buffer);
  data[index] = value;
  tensors.set(name, float(name, entry.shape, data));
}

function rejects(code: string, text: string): unknown {
  return expect.objectContaining({ code, message: expect.stringContaining(text) });
}

describe.skipIf(!HAS_SHARED)("the paper's Swin against golden traces (2 tests)", () => {
  const folder = `${SHARED}vectors/ivit/tiny_swin/`;

  it('from its state dict: every value of an image, logits, no difference', async () => {
    const vectors = readTensors('vectors.safetensors', folder);
    const hashes = readTraceHashes('trace_hashes.json', folder);
    const program = buildPaperSwin(readTensors('state_dict.safetensors', folder), { preprocess: PREPROCESS });
    const pixels = Uint8Array.from(integersOf(vectors, 'images_u8'));
    const compared = await compareRun(program, pixels, hashes, integersOf(vectors, 'logits_int'));
    expect(compared).toEqual({ values: hashes.size, logits: 10 });
  });

  it('the compiled form gives the very same program', () => {
    const state = buildPaperSwin(readTensors('state_dict.safetensors', folder), { preprocess: PREPROCESS });
    const compiled = buildCompiledPaperSwin(readTensors('compiled.safetensors', folder), { preprocess: PREPROCESS });
    expect(compiled).toEqual(state);
  });
});

describe('buildPaperSwin', () => {
  it('reads the geometry from the tensors, with a last stage of one block', async () => {
    const program = buildPaperSwin(randomPaperSwin(CONFIG), OPTIONS);
    expect(program.values['pixels']?.shape).toEqual([16, 16, 3]);
    expect(program.values['layers.0.blocks.1.attn.matmul_1']?.shape).toEqual([4, 1, 16, 16]);
    expect(program.values['layers.1.blocks.0.attn.matmul_1']?.shape).toEqual([1, 2, 16, 16]);
    const executable = await createReferenceBackend().compile(validate(program));
    const outputs = await executable.run(new Uint8Array(16 * 16 * 3).fill(99), { batch: 1 });
    expect(outputs['logits']?.data).toHaveLength(5);
  });

  it('a shifted window sees nothing across the seam that the shift closed', async () => {
    const program = buildPaperSwin(randomPaperSwin(CONFIG), OPTIONS);
    const name = 'layers.0.blocks.1.attn.log_int_softmax';
    const executable = await createReferenceBackend().compile(validate(program), { outputs: [name] });
    const pixels = Uint8Array.from({ length: 16 * 16 * 3 }, (_, at) => (at * 37) % 256);
    const probabilities = (await executable.run(pixels, { batch: 1 }))[name]?.data ?? [];
    const mask = program.constants['layers.0.mask']?.data ?? [];
    expect(probabilities).toHaveLength(mask.length);
    expect(mask.filter((entry) => entry === 1).length).toBeGreaterThan(0);
    for (const [pair, entry] of mask.entries()) if (entry === 1) expect(probabilities[pair]).toBe(0);
  });

  it.each<[string, string, (tensors: Tensors) => void]>([
    ['E_MODEL_UNKNOWN_ARCHITECTURE', 'no Swin state dict', (t) => t.delete('patch_embed.norm.bias_integer')],
    ['E_MODEL_SHAPE', '256 numbers instead of 16', (t) => t.delete('layers.0.blocks.1.attn_mask')],
    [
      'E_MODEL_SHAPE',
      'the shifted block layers.0.blocks.3 has no mask',
      (t) => t.set('layers.0.blocks.3.x', t.get('head.bias_integer') as TensorEntry),
    ],
    [
      'E_MODEL_UNSUPPORTED',
      'head_dist.weight_integer',
      (t) => t.set('head_dist.weight_integer', t.get('head.bias_integer') as TensorEntry),
    ],
    ['E_MODEL_SHAPE', 'is not 0 and -100', (t) => set(t, 'layers.0.blocks.1.attn_mask', 700, -50)],
    [
      'E_MODEL_SHAPE',
      'is not that of a 4x4 window',
      (t) => set(t, 'layers.1.blocks.0.attn.relative_position_index', 3, 0),
    ],
    [
      'E_MODEL_MISSING_TENSOR',
      'layers.0.blocks.1.attn.relative_position_bias_table',
      (t) => t.delete('layers.0.blocks.1.attn.relative_position_bias_table'),
    ],
    [
      'E_MODEL_MASK_LEAK',
      'layers.0.blocks.1.attn.qact2',
      (t) => set(t, 'layers.0.blocks.1.attn.qact2.act_scaling_factor', 0, 0.4),
    ],
    ['E_MODEL_SCALE', 'qact3.act_scaling_factor is -1', (t) => set(t, 'qact3.act_scaling_factor', 0, -1)],
    ['E_MODEL_NON_FINITE', 'norm.norm_scaling_factor', (t) => set(t, 'norm.norm_scaling_factor', 2, Number.NaN)],
    [
      'E_MODEL_UNSUPPORTED',
      'reduction has a bias',
      (t) => t.set('layers.0.downsample.reduction.bias_integer', t.get('head.bias_integer') as TensorEntry),
    ],
    [
      'E_MODEL_MISSING_TENSOR',
      'head.bias_integer',
      (t) => t.set('head.bias', t.get('head.bias_integer') as TensorEntry) && t.delete('head.bias_integer'),
    ],
  ])('refuses with %s: %s', (code, text, change) => {
    expect(() => buildPaperSwin(changed(change), OPTIONS)).toThrow(rejects(code, text));
  });

  it('needs the image size where no stage has two blocks, and checks it where one has', () => {
    const single = randomPaperSwin({ ...CONFIG, depths: [1, 1] });
    expect(() => buildPaperSwin(single, OPTIONS)).toThrow(rejects('E_MODEL_CONFIG', 'image size is unknown'));
    expect(buildPaperSwin(single, { ...OPTIONS, imageSize: 16 }).values['pixels']?.shape).toEqual([16, 16, 3]);
    const wrong = (): unknown => buildPaperSwin(randomPaperSwin(CONFIG), { ...OPTIONS, imageSize: 32 });
    expect(wrong).toThrow(rejects('E_MODEL_CONFIG', 'masks are made for 16'));
  });
});

describe('maskUnits', () => {
  it('is floor(-100/s) up to the scale at which a mask would leak', () => {
    expect(maskUnits('here', 0.05)).toBe(-2000);
    expect(maskUnits('here', 0.3)).toBe(-334);
    expect(maskUnits('here', 0.392)).toBe(-256);
    expect(() => maskUnits('here', Math.fround(0.3922))).toThrow(rejects('E_MODEL_MASK_LEAK', 'within the 255'));
  });
});
