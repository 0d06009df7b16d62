import { createReferenceBackend } from '@ivit/backend-reference';
import { writeSafetensors } from '@ivit/formats/safetensors';
import { type Op, type Program, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { randomStream } from '../../../test/random.js';
import { jsonBytes, randomTimmTensors, SMALL_SHAPE, timmConfig, timmFolder } from '../../../test/random-vit.js';
import { floatsOf, PREPROCESS, readTensors } from '../../../test/vectors.js';
import type { VitWeights } from '../../vit/types.js';
import { readVit } from '../reader/read-vit.js';
import { blockForward, embed, headForward, vitForward } from '../vit-forward.js';
import { buildPaperVit } from './from-state-dict.js';
import { buildPaperVitFromScales } from './from-weights.js';
import { activationScale, type PaperBlockScales, type PaperScales } from './scales.js';

const STATE = readTensors('tiny_vit/state_dict.safetensors');

/** The float half of the golden checkpoint. */
function goldenWeights(): VitWeights {
  const isFloat = (name: string) => /\.(weight|bias)$/.test(name) || name === 'cls_token' || name === 'pos_embed';
  const model = writeSafetensors([...STATE.values()].filter((entry) => isFloat(entry.name)));
  const { mean, std } = PREPROCESS;
  const config = { num_heads: 2, pretrained_cfg: { mean, std, crop_pct: 1 } };
  return readVit({
    name: 'golden',
    files: new Map([
      ['model.safetensors', model],
      ['config.json', jsonBytes(config)],
    ]),
  });
}

/** Scale of a quantizer of the golden checkpoint. */
function scaleOf(name: string): number {
  return floatsOf(STATE, `${name}.act_scaling_factor`)[0] as number;
}

function goldenScales(): PaperScales {
  const block = (name: string): PaperBlockScales => ({
    qact1: scaleOf(`${name}.qact1`),
    attnQact1: scaleOf(`${name}.attn.qact1`),
    attnLogits: scaleOf(`${name}.attn.qact_attn1`),
    attnQact2: scaleOf(`${name}.attn.qact2`),
    attnQact3: scaleOf(`${name}.attn.qact3`),
    qact2: scaleOf(`${name}.qact2`),
    qact3: scaleOf(`${name}.qact3`),
    mlpQactGelu: scaleOf(`${name}.mlp.qact_gelu`),
    mlpQact1: scaleOf(`${name}.mlp.qact1`),
    mlpQact2: scaleOf(`${name}.mlp.qact2`),
    qact4: scaleOf(`${name}.qact4`),
  });
  return {
    qactInput: scaleOf('qact_input'),
    patchQact: scaleOf('patch_embed.qact'),
    qact1: scaleOf('qact1'),
    blocks: [block('blocks.0'), block('blocks.1')],
    qact2: scaleOf('qact2'),
  };
}

function op<Name extends Op['op']>(program: Program, name: Name, result: string): Extract<Op, { op: Name }> {
  const found = program.ops.find(
    (candidate): candidate is Extract<Op, { op: Name }> => candidate.op === name && candidate.result === result,
  );
  if (found === undefined) throw new Error(result);
  return found;
}

describe('buildPaperVitFromScales', () => {
  it('gives the golden checkpoint again: the same ops, integers and multipliers from its floats and scales', () => {
    const { provenance: _p, labels: _l, ...fromFloats } = buildPaperVitFromScales(goldenWeights(), goldenScales());
    const { provenance: _q, ...fromState } = buildPaperVit(STATE, { heads: 2, preprocess: PREPROCESS });
    expect(fromFloats).toEqual(fromState);
  });

  it('raises scales that the integer functions cannot take', () => {
    const golden = goldenScales();
    const [first, second] = golden.blocks as [PaperBlockScales, PaperBlockScales];
    const program = buildPaperVitFromScales(goldenWeights(), {
      ...golden,
      blocks: [{ ...first, mlpQactGelu: 1e-4, attnLogits: 1e-6 }, second],
    });
    expect(op(program, 'shiftgelu', 'blocks.0.mlp.act').x0).toBe(-127);
    // 17 tokens: 17·3855·2^15 is the largest sum below 2^31.
    expect(op(program, 'softmax', 'blocks.0.attn.int_softmax').exponential).toEqual({ shift: -3855, n: 15 });
    expect(op(program, 'shiftgelu', 'blocks.1.mlp.act').x0).toBe(
      op(buildPaperVitFromScales(goldenWeights(), golden), 'shiftgelu', 'blocks.1.mlp.act').x0,
    );
    expect(() => validate(program)).not.toThrow();
  });

  it('follows the float model on a made-up ViT calibrated by its own ranges', async () => {
    const shape = { ...SMALL_SHAPE, dim: 48, mlp: 96 };
    const weights = readVit(timmFolder(randomTimmTensors(shape, 3), timmConfig(shape)));
    const next = randomStream(11);
    const photos = Array.from({ length: 6 }, () => Uint8Array.from({ length: 432 }, () => Math.floor(next() * 256)));
    const program = buildPaperVitFromScales(weights, calibrate(weights, photos));
    expect(program.labels).toEqual(weights.labels);
    expect(program.provenance?.sources).toEqual(weights.sources);
    const executable = await createReferenceBackend().compile(validate(program));
    let error = 0;
    let signal = 0;
    for (const photo of photos) {
      const wanted = vitForward(weights, photo);
      const outputs = await executable.run(photo, { batch: 1 });
      for (const [index, value] of wanted.entries()) {
        const logit = (outputs['logits']?.data[index] as number) * 2 ** -program.outputShift;
        error += (logit - value) ** 2;
        signal += value ** 2;
      }
    }
    await executable.dispose();
    // 20.9 dB when written; plain 8-bit rounding, no training.
    expect(10 * Math.log10(signal / error)).toBeGreaterThan(18);
  });
});

/** Scales from the largest magnitude of each site. */
function calibrate(weights: VitWeights, photos: readonly Uint8Array[]): PaperScales {
  const largest = new Map<string, number>();
  const see = (site: string, values: Float32Array): void => {
    for (const value of values) largest.set(site, Math.max(largest.get(site) ?? 0, Math.abs(value)));
  };
  for (const photo of photos) {
    let x = embed(weights, photo);
    see('stream', x);
    for (const index of weights.blocks.keys()) {
      const before = x;
      const block = blockForward(weights, index, x);
      see(`${index}.ln1`, block.ln1);
      see(`${index}.qkv`, block.qkv);
      see(`${index}.logits`, block.logits);
      see(`${index}.attention`, block.attention);
      see(
        `${index}.proj`,
        block.afterAttention.map((value, i) => value - (before[i] as number)),
      );
      see(`${index}.middle`, block.afterAttention);
      see(`${index}.ln2`, block.ln2);
      see(`${index}.fc1`, block.fc1);
      see(`${index}.gelu`, block.gelu);
      see(
        `${index}.fc2`,
        block.output.map((value, i) => value - (block.afterAttention[i] as number)),
      );
      see(`${index}.output`, block.output);
      x = block.output;
    }
    see('norm', headForward(weights, x).norm);
  }
  const scale = (bits: 8 | 16, site: string): number => {
    const max = largest.get(site) ?? 0;
    return activationScale(bits, -max, max);
  };
  return {
    patchQact: scale(16, 'stream'),
    qact1: scale(16, 'stream'),
    blocks: weights.blocks.map((_, index) => ({
      qact1: scale(8, `${index}.ln1`),
      attnQact1: scale(8, `${index}.qkv`),
      attnLogits: scale(8, `${index}.logits`),
      attnQact2: scale(8, `${index}.attention`),
      attnQact3: scale(16, `${index}.proj`),
      qact2: scale(16, `${index}.middle`),
      qact3: scale(8, `${index}.ln2`),
      mlpQactGelu: scale(8, `${index}.fc1`),
      mlpQact1: scale(8, `${index}.gelu`),
      mlpQact2: scale(16, `${index}.fc2`),
      qact4: scale(16, `${index}.output`),
    })),
    qact2: scale(8, 'norm'),
  };
}
