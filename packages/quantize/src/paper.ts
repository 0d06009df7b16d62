import type { Outputs } from '@ivit/backend';
import {
  activationScale,
  type BlockActivations,
  blockForward,
  buildPaperVitFromScales,
  createBlockActivations,
  embed,
  headForward,
  limitPaperScales,
  type PaperBlockScales,
  type PaperScales,
  powerOfTwo,
  requireClassReadout,
  type VitWeights,
} from '@ivit/models';
import { type Program, validate } from '@ivit/program';
import { programDetails } from './details.js';
import { checkFinite } from './edge.js';
import { createMeter, edgeReport, measure, type QualityMeter } from './quality.js';
import { breathe, checkAborted, outputOf } from './stage.js';
import type { EdgeReport, QuantizeOptions, QuantizeResult } from './types.js';

/** A quantized site of the paper's block: where its scale goes, its module, its bits, its float value. */
interface Site {
  readonly field: keyof PaperBlockScales;
  readonly module: string;
  readonly bits: 8 | 16;
  readonly float: (activations: BlockActivations, stream: Float32Array) => Float32Array;
}

const BLOCK_SITES: readonly Site[] = [
  { field: 'qact1', module: 'qact1', bits: 8, float: (a) => a.ln1 },
  { field: 'attnQact1', module: 'attn.qact1', bits: 8, float: (a) => a.qkv },
  { field: 'attnLogits', module: 'attn.qact_attn1', bits: 8, float: (a) => a.logits },
  { field: 'attnQact2', module: 'attn.qact2', bits: 8, float: (a) => a.attention },
  { field: 'attnQact3', module: 'attn.qact3', bits: 16, float: (a, stream) => minus(a.afterAttention, stream) },
  { field: 'qact2', module: 'qact2', bits: 16, float: (a) => a.afterAttention },
  { field: 'qact3', module: 'qact3', bits: 8, float: (a) => a.ln2 },
  { field: 'mlpQactGelu', module: 'mlp.qact_gelu', bits: 8, float: (a) => a.fc1 },
  { field: 'mlpQact1', module: 'mlp.qact1', bits: 8, float: (a) => a.gelu },
  { field: 'mlpQact2', module: 'mlp.qact2', bits: 16, float: (a) => minus(a.output, a.afterAttention) },
  { field: 'qact4', module: 'qact4', bits: 16, float: (a) => a.output },
];

function minus(a: Float32Array, b: Float32Array): Float32Array {
  return a.map((entry, i) => entry - (b[i] as number));
}

/** Calls `visit` with the float value of every site, in the order of the program. */
function walkFloat(
  weights: VitWeights,
  pixels: Uint8Array,
  buffers: BlockActivations,
  visit: (name: string, bits: 8 | 16, float: Float32Array) => void,
): void {
  const { dim } = weights.config;
  let stream = embed(weights, pixels);
  const position = weights.positionEmbedding.data;
  visit('patch_embed.qact', 16, minus(stream, position).subarray(dim));
  visit('qact1', 16, stream);
  for (let index = 0; index < weights.blocks.length; index += 1) {
    // The block's output buffer is its successor's input: keep the stream apart while the sites are read.
    const activations = blockForward(weights, index, stream, buffers);
    for (const site of BLOCK_SITES) visit(`blocks.${index}.${site.module}`, site.bits, site.float(activations, stream));
    stream = activations.output.slice();
  }
  const { norm, logits } = headForward(weights, stream);
  visit('qact2', 8, norm);
  visit('logits', 16, logits);
}

/** Scales by min/max over the photos, one pass, no clipping. */
function scalesOf(weights: VitWeights, meters: ReadonlyMap<string, QualityMeter>): PaperScales {
  const scale = (name: string, bits: 8 | 16): number => {
    const meter = meters.get(name) ?? createMeter();
    checkFinite(meter.min, name);
    checkFinite(meter.max, name);
    return activationScale(bits, meter.min, meter.max);
  };
  const blocks = weights.blocks.map((_, index) => {
    const entries = BLOCK_SITES.map(
      (site) => [site.field, scale(`blocks.${index}.${site.module}`, site.bits)] as const,
    );
    return limitPaperScales(Object.fromEntries(entries) as Record<keyof PaperBlockScales, number>, tokensOf(weights));
  });
  return { patchQact: scale('patch_embed.qact', 16), qact1: scale('qact1', 16), blocks, qact2: scale('qact2', 8) };
}

function tokensOf(weights: VitWeights): number {
  return weights.positionEmbedding.data.length / weights.config.dim;
}

/**
 * Recipe `paper@1`: plain I-ViT by min/max calibration, static scales, Shiftmax and ShiftGELU. For comparison: without
 * the paper's training it loses accuracy.
 */
export async function quantizePaper(options: QuantizeOptions): Promise<QuantizeResult> {
  const { weights, photos, signal } = options;
  requireClassReadout(weights.config);
  const buffers = createBlockActivations(weights.config);
  const total = 2 * photos.length;
  let done = 0;
  const tell = (stage: string): void => options.onProgress?.({ stage, done, total });
  const meters = new Map<string, QualityMeter>();
  tell('ranges');
  for (const photo of photos) {
    checkAborted(signal);
    walkFloat(weights, photo.pixels, buffers, (name, _bits, float) => {
      measure(meterOf(meters, name), float, (i) => float[i] as number);
    });
    done += 1;
    tell('ranges');
    await breathe();
  }
  const scales = scalesOf(weights, meters);
  const built = buildPaperVitFromScales(weights, scales);
  const program: Program = { ...built, ...programDetails(weights, photos, 'paper@1') };
  const edges = await measureEdges(options, buffers, program, unitsOf(scales, program), () => {
    done += 1;
    tell('report');
  });
  return { program, report: { recipe: 'paper@1', recipeId: 'paper@1', photos: photos.length, edges } };
}

function meterOf(meters: Map<string, QualityMeter>, name: string): QualityMeter {
  let meter = meters.get(name);
  if (meter === undefined) {
    meter = createMeter();
    meters.set(name, meter);
  }
  return meter;
}

/** Real value of one unit of each named value. */
function unitsOf(scales: PaperScales, program: Program): ReadonlyMap<string, number> {
  const units = new Map([
    ['patch_embed.qact', scales.patchQact],
    ['qact1', scales.qact1],
  ]);
  for (const [index, block] of scales.blocks.entries()) {
    for (const site of BLOCK_SITES) units.set(`blocks.${index}.${site.module}`, block[site.field]);
  }
  units.set('qact2', scales.qact2);
  units.set('logits', powerOfTwo(-program.outputShift));
  return units;
}

/** Runs the integer program and the float model side by side on every photo. */
async function measureEdges(
  { weights, photos, backend, signal }: QuantizeOptions,
  buffers: BlockActivations,
  program: Program,
  units: ReadonlyMap<string, number>,
  advance: () => void,
): Promise<EdgeReport[]> {
  const meters = new Map<string, QualityMeter>();
  const abort = signal === undefined ? {} : { signal };
  const executable = await backend.compile(validate(program), { maxBatch: 1, outputs: [...units.keys()], ...abort });
  try {
    for (const photo of photos) {
      checkAborted(signal);
      const outputs: Outputs = await executable.run(photo.pixels, { batch: 1, ...abort });
      walkFloat(weights, photo.pixels, buffers, (name, _bits, float) => {
        const { data } = outputOf(outputs, name);
        const unit = units.get(name) ?? 1;
        measure(meterOf(meters, name), float, (i) => (data[i] as number) * unit);
      });
      advance();
      await breathe();
    }
  } finally {
    await executable.dispose();
  }
  return [...units].map(([name, unit]) => edgeReport(name, meterOf(meters, name), unit, 'tensor'));
}
