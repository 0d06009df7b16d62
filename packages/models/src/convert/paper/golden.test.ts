import { createReferenceBackend } from '@ivit/backend-reference';
import { type Program, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { compareRun } from '../../../test/golden.js';
import { HAS_SHARED, SHARED } from '../../../test/shared.js';
import {
  enlarge,
  floatsOf,
  integersOf,
  PREPROCESS,
  readTensors,
  readTraceHashes,
  type Tensors,
} from '../../../test/vectors.js';
import { buildCompiledPaperVit } from './from-compiled.js';
import { buildPaperVit } from './from-state-dict.js';

/** Logits at one unit equal accumulator times scale, to half a unit and the 31 bits of the multiplier. */
async function compareLogits(program: Program, pixels: Uint8Array, head: readonly number[], scale: Float32Array) {
  const executable = await createReferenceBackend().compile(validate(program));
  const size = program.values['pixels']?.shape.reduce((product, side) => product * side, 1) ?? 0;
  const unit = 2 ** -program.outputShift;
  for (let image = 0; image < pixels.length / size; image += 1) {
    const outputs = await executable.run(pixels.subarray(image * size, (image + 1) * size), { batch: 1 });
    const data = outputs['logits']?.data ?? [];
    expect(data).toHaveLength(scale.length);
    for (let c = 0; c < scale.length; c += 1) {
      const wanted = (head[image * scale.length + c] as number) * (scale[c] as number);
      expect(Math.abs((data[c] as number) * unit - wanted)).toBeLessThanOrEqual(
        unit * 0.5 + Math.abs(wanted) * 2 ** -31,
      );
    }
  }
  await executable.dispose();
}

function imagesOf(vectors: Tensors): Uint8Array {
  return Uint8Array.from(integersOf(vectors, 'images_u8'));
}

describe('the paper ViT against golden traces', () => {
  it('tiny_vit from its state dict: every value of 4 images, logits, no difference', async () => {
    const vectors = readTensors('tiny_vit/vectors.safetensors');
    const program = buildPaperVit(readTensors('tiny_vit/state_dict.safetensors'), { heads: 2, preprocess: PREPROCESS });
    const compared = await compareRun(
      program,
      imagesOf(vectors),
      readTraceHashes('tiny_vit/trace_hashes.json'),
      integersOf(vectors, 'logits_int'),
    );
    expect(compared.logits).toBe(40);
    expect(compared.values).toBe(readTraceHashes('tiny_vit/trace_hashes.json').size);
    expect(program.outputShift).toBe(16);
    await compareLogits(
      program,
      imagesOf(vectors),
      integersOf(vectors, 'logits_int'),
      floatsOf(vectors, 'logits_scale'),
    );
  });

  it('tiny_vit: the compiled form gives the very same program', () => {
    const fromState = buildPaperVit(readTensors('tiny_vit/state_dict.safetensors'), {
      heads: 2,
      preprocess: PREPROCESS,
    });
    const fromCompiled = buildCompiledPaperVit(readTensors('tiny_vit/compiled.safetensors'), {
      preprocess: PREPROCESS,
    });
    expect(fromCompiled).toEqual(fromState);
  });

  it('tiny_vit_digits from its compiled form: every value of 397 images, logits, no difference', async () => {
    const vectors = readTensors('tiny_vit_digits/vectors.safetensors');
    const hashes = readTraceHashes('tiny_vit_digits/trace_hashes.json');
    const program = buildCompiledPaperVit(readTensors('tiny_vit_digits/compiled.safetensors'), {
      preprocess: PREPROCESS,
    });
    const pixels = enlarge(integersOf(vectors, 'images_8x8_u8'));
    const compared = await compareRun(program, pixels, hashes, integersOf(vectors, 'logits_int'));
    expect(compared.logits).toBe(3970);
    expect(compared.values).toBe(hashes.size);
  });
});

describe.skipIf(!HAS_SHARED)('the paper ViT at DeiT-Tiny size (1 test)', () => {
  it('deit_tiny from its state dict: every value of 2 images, logits, no difference', async () => {
    const folder = `${SHARED}vectors/ivit/`;
    const vectors = readTensors('deit_tiny/vectors.safetensors', folder);
    const hashes = readTraceHashes('deit_tiny/trace_hashes.json', folder);
    const program = buildPaperVit(readTensors('deit_tiny/int_model.safetensors', folder), { preprocess: PREPROCESS });
    const compared = await compareRun(program, imagesOf(vectors), hashes, integersOf(vectors, 'logits_int'));
    expect(compared.logits).toBe(2000);
    expect(compared.values).toBe(258);
  });
});
