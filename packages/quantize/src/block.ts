import {
  addAttention,
  addEdge,
  addFc1,
  addFc2,
  addGelu,
  addGeluTable,
  addNorm,
  addProjection,
  type BlockActivations,
  blockForward,
  blockPrefix,
  GELU_INPUT_STEP_BITS,
  GELU_RAMP,
  type RecipeBlock,
  tokenCount,
  type VitWeights,
} from '@ivit/models';
import { attentionScales, logitScaling, SMALLEST_SCALE } from './attention.js';
import {
  channelMaxima,
  checkFinite,
  chooseNormEdge,
  choosePlainEdge,
  type EdgeChoice,
  GELU_ZERO_POINTS,
  SYMMETRIC_ZERO_POINTS,
} from './edge.js';
import { createMoments, type SecondMoments } from './hessian.js';
import { channelMeans, correctBias, type RowLinearInput, roundLinear } from './linear.js';
import { largestOf, maxMagnitude, powerOfTwo, roundHalfEven } from './numeric.js';
import { createMeter, edgeReport, measure, type QualityMeter } from './quality.js';
import { addRows, type RowCodes, rowCodesOf, rowValues } from './row-codes.js';
import { largestRowFactor, ratioOf } from './scaling.js';
import { breathe, checkAborted, int16Output, outputOf, runStage, type StageRunner } from './stage.js';
import type { EdgeReport } from './types.js';

const INT16_MAX = 32767;

/** The residual streams of all photos between two blocks. */
export interface Streams {
  /** `[N,D]` each. */
  readonly floats: readonly Float32Array[];
  /** `[N,D]` each, in units of `unit`. */
  readonly integers: readonly Int16Array[];
  readonly unit: number;
}

export interface BlockResult {
  readonly block: RecipeBlock;
  readonly edges: readonly EdgeReport[];
  readonly streams: Streams;
}

/** Unit of an int16 tensor that holds the calibrated maximum exactly. */
export function int16Unit(tensors: readonly Float32Array[], where: string): number {
  const largest = largestOf(tensors.map((tensor) => maxMagnitude(tensor)));
  checkFinite(largest, where);
  return Math.max(largest / INT16_MAX, SMALLEST_SCALE);
}

/** Collects a row-quantized edge over the photos: the Hessian for the next weights, and the report's figures. */
class EdgeStatistics {
  readonly moments: SecondMoments;
  readonly meter: QualityMeter = createMeter();
  readonly #choice: EdgeChoice;
  readonly #columns: Float64Array;

  constructor(choice: EdgeChoice, rows: number, width: number) {
    this.#choice = choice;
    this.moments = createMoments(width);
    this.#columns = new Float64Array(rows * width);
  }

  add(x: RowCodes, floats: Float32Array): void {
    addRows(this.moments, x, this.#choice.edge.zeroPoint, this.#columns);
    measure(this.meter, floats, rowValues(x, this.#choice));
  }

  report(name: string): EdgeReport {
    const { step, migration } = this.#choice;
    return edgeReport(name, this.meter, step * (migration === undefined ? 1 : largestOf(migration)), 'row');
  }

  /** What the next linear layer needs of this edge. */
  input(weight: RowLinearInput['weight'], outputUnits: Float64Array, where: string, lo = -32768): RowLinearInput {
    const { edge, step, migration } = this.#choice;
    const rowFactor = largestRowFactor(lo, 32767, edge.zeroPoint);
    return { weight, step, migration, zeroPoint: edge.zeroPoint, rowFactor, moments: this.moments, outputUnits, where };
  }
}

export { EdgeStatistics };

/** Float activations of every photo in one block; attention probabilities are not kept. */
async function floatPass(
  weights: VitWeights,
  index: number,
  streams: Streams,
  buffers: readonly BlockActivations[],
  runner: StageRunner,
): Promise<void> {
  for (const [photo, stream] of streams.floats.entries()) {
    checkAborted(runner.signal);
    blockForward(weights, index, stream, buffers[photo]);
    runner.advance();
    await breathe();
  }
}

/** Passes of one photo through {@link quantizeBlock}, for progress. */
export const BLOCK_PASSES = 6;

/**
 * Decides every integer of one block: float pass, then stage by stage on the quantized stream, each linear layer
 * rounded against its input as quantized and its bias corrected so that its mean output is the float layer's.
 *
 * @param buffers one set per photo; overwritten.
 * @param geluTable i16[577].
 */
export async function quantizeBlock(
  weights: VitWeights,
  index: number,
  streams: Streams,
  buffers: readonly BlockActivations[],
  geluTable: Int16Array,
  runner: StageRunner,
): Promise<BlockResult> {
  const { config } = weights;
  const { dim, mlpDim, heads } = config;
  const float = weights.blocks[index];
  if (float === undefined) throw new RangeError(`there is no block ${index}`);
  const n = tokenCount(config);
  const photos = streams.floats.length;
  const prefix = blockPrefix(index);
  const edges: EdgeReport[] = [];
  await floatPass(weights, index, streams, buffers, runner);
  const site = (name: keyof BlockActivations): Float32Array[] => buffers.map((activations) => activations[name]);
  const at = (name: keyof BlockActivations, photo: number): Float32Array => site(name)[photo] as Float32Array;
  const inputMeans = channelMeans(streams.floats, dim);
  const residual = `${prefix}.input`;
  const residualTensor = { name: residual, shape: [n, dim] };

  // 1. Norm 1 to row codes.
  const norm1Name = `${prefix}.norm1`;
  const norm1 = chooseNormEdge(float.norm1, float.qkv.weight, site('ln1'), norm1Name);
  const norm1Statistics = new EdgeStatistics(norm1, n, dim);
  const norm1Values: Int16Array[] = [];
  await runStage(
    runner,
    {
      inputs: [residualTensor],
      build: (builder) => void addNorm(builder, norm1Name, residual, norm1.edge),
      outputs: [norm1Name, `${norm1Name}.row`, `${norm1Name}.codes`],
    },
    photos,
    (photo) => [streams.integers[photo] as Int16Array],
    (photo, outputs) => {
      norm1Values.push(int16Output(outputs, norm1Name));
      norm1Statistics.add(rowCodesOf(outputs, norm1Name, n), at('ln1', photo));
    },
  );
  edges.push(norm1Statistics.report(norm1Name));

  // 2. qkv and attention to row codes.
  const scales = attentionScales(config, channelMaxima(site('qkv'), 3 * dim));
  const qkvInput = norm1Statistics.input(float.qkv.weight, scales.qkv, `${prefix}.qkv`);
  const qkv = correctBias(qkvInput, roundLinear(qkvInput), channelMeans(site('qkv'), 3 * dim));
  const largestLogit = largestOf(site('logits').map((tensor) => maxMagnitude(tensor)));
  const attentionName = `${prefix}.attention`;
  const logits = logitScaling(config, scales, largestLogit, `${attentionName}.logits`);
  const attention = choosePlainEdge(
    scales.qkv.subarray(2 * dim).map((scale) => scale / 32768),
    (32768 + n) * 128,
    site('attention'),
    dim,
    SYMMETRIC_ZERO_POINTS,
    attentionName,
  );
  const attentionStatistics = new EdgeStatistics(attention, n, dim);
  const attentionValues: Int16Array[] = [];
  const qkvMeter = createMeter();
  const logitMeter = createMeter();
  const logitUnit = 1 / (Math.LOG2E * powerOfTwo(logits.fractionBits));
  await runStage(
    runner,
    {
      inputs: [{ name: norm1Name, shape: [n, dim] }],
      build: (builder) => {
        const x = addEdge(builder, norm1Name, norm1.edge);
        const mixed = addAttention(builder, config, prefix, x, { qkv, logits, attention: attention.edge });
        addEdge(builder, mixed, attention.edge);
      },
      outputs: [
        attentionName,
        `${attentionName}.row`,
        `${attentionName}.codes`,
        `${attentionName}.logits`,
        `${prefix}.qkv`,
      ],
    },
    photos,
    (photo) => [norm1Values[photo] as Int16Array],
    (photo, outputs) => {
      attentionValues.push(int16Output(outputs, attentionName));
      attentionStatistics.add(rowCodesOf(outputs, attentionName, n), at('attention', photo));
      const qkvCodes = outputOf(outputs, `${prefix}.qkv`).data;
      measure(qkvMeter, at('qkv', photo), (i) => (qkvCodes[i] as number) * (scales.qkv[i % (3 * dim)] as number));
      const logitCodes = outputOf(outputs, `${attentionName}.logits`).data;
      measure(logitMeter, at('logits', photo), (i) => (logitCodes[i] as number) * logitUnit);
    },
  );
  edges.push(edgeReport(`${prefix}.qkv`, qkvMeter, largestOf(scales.qkv), 'channel'));
  edges.push(edgeReport(`${attentionName}.logits`, logitMeter, logitUnit, 'tensor'));
  edges.push(attentionStatistics.report(attentionName));

  // 3. Projection, first residual addition, norm 2 to row codes.
  const middleName = `${prefix}.residual1`;
  const middleUnit = int16Unit(site('afterAttention'), middleName);
  const projInput = attentionStatistics.input(
    float.proj.weight,
    new Float64Array(dim).fill(middleUnit),
    `${prefix}.proj`,
  );
  const middleMeans = channelMeans(site('afterAttention'), dim);
  const proj = correctBias(
    projInput,
    roundLinear(projInput),
    middleMeans.map((mean, c) => mean - (inputMeans[c] as number)),
  );
  const residual1 = ratioOf(streams.unit, middleUnit);
  const norm2Name = `${prefix}.norm2`;
  const norm2 = chooseNormEdge(float.norm2, float.fc1.weight, site('ln2'), norm2Name);
  const norm2Statistics = new EdgeStatistics(norm2, n, dim);
  const middleValues: Int16Array[] = [];
  const norm2Values: Int16Array[] = [];
  const middleMeter = createMeter();
  await runStage(
    runner,
    {
      inputs: [{ name: attentionName, shape: [n, heads, dim / heads] }, residualTensor],
      build: (builder) => {
        const x = addEdge(builder, attentionName, attention.edge);
        const middle = addProjection(builder, prefix, x, residual, { proj, residual1 });
        addNorm(builder, norm2Name, middle, norm2.edge);
      },
      outputs: [middleName, norm2Name, `${norm2Name}.row`, `${norm2Name}.codes`],
    },
    photos,
    (photo) => [attentionValues[photo] as Int16Array, streams.integers[photo] as Int16Array],
    (photo, outputs) => {
      const middle = int16Output(outputs, middleName);
      middleValues.push(middle);
      norm2Values.push(int16Output(outputs, norm2Name));
      measure(middleMeter, at('afterAttention', photo), (i) => (middle[i] as number) * middleUnit);
      norm2Statistics.add(rowCodesOf(outputs, norm2Name, n), at('ln2', photo));
    },
  );
  edges.push(edgeReport(middleName, middleMeter, middleUnit, 'tensor'));
  edges.push(norm2Statistics.report(norm2Name));

  // 4. fc1 and GELU to row codes.
  const hiddenName = `${prefix}.fc1`;
  const hiddenUnit = powerOfTwo(-GELU_INPUT_STEP_BITS);
  const fc1Input = norm2Statistics.input(float.fc1.weight, new Float64Array(mlpDim).fill(hiddenUnit), hiddenName);
  const fc1 = correctBias(fc1Input, roundLinear(fc1Input), channelMeans(site('fc1'), mlpDim));
  const geluName = `${prefix}.gelu`;
  const activeUnit = powerOfTwo(-GELU_INPUT_STEP_BITS - GELU_RAMP);
  const gelu = choosePlainEdge(
    Float64Array.of(activeUnit),
    32768 * 32,
    site('gelu'),
    mlpDim,
    GELU_ZERO_POINTS,
    geluName,
  );
  const geluStatistics = new EdgeStatistics(gelu, n, mlpDim);
  const hiddenValues: Int16Array[] = [];
  const hiddenMeter = createMeter();
  await runStage(
    runner,
    {
      inputs: [{ name: norm2Name, shape: [n, dim] }],
      build: (builder) => {
        const x = addEdge(builder, norm2Name, norm2.edge);
        const hidden = addFc1(builder, prefix, x, { fc1 });
        addGelu(builder, prefix, hidden, gelu.edge, addGeluTable(builder, geluTable));
      },
      outputs: [hiddenName, `${geluName}.row`, `${geluName}.codes`],
    },
    photos,
    (photo) => [norm2Values[photo] as Int16Array],
    (photo, outputs) => {
      const hidden = int16Output(outputs, hiddenName);
      hiddenValues.push(hidden);
      measure(hiddenMeter, at('fc1', photo), (i) => (hidden[i] as number) * hiddenUnit);
      geluStatistics.add(rowCodesOf(outputs, geluName, n), at('gelu', photo));
    },
  );
  edges.push(edgeReport(hiddenName, hiddenMeter, hiddenUnit, 'tensor'));
  edges.push(geluStatistics.report(geluName));

  // 5. fc2 and second residual addition.
  const outputName = `${prefix}.residual2`;
  const outputUnit = int16Unit(site('output'), outputName);
  // GELU is never below -0.17: the negative end of the int16 range cannot occur.
  const lowest = roundHalfEven((minimum(geluTable) * activeUnit) / gelu.step) - 1;
  const fc2Input = geluStatistics.input(
    float.fc2.weight,
    new Float64Array(dim).fill(outputUnit),
    `${prefix}.fc2`,
    lowest,
  );
  const outputMeans = channelMeans(site('output'), dim);
  const fc2 = correctBias(
    fc2Input,
    roundLinear(fc2Input),
    outputMeans.map((mean, c) => mean - (middleMeans[c] as number)),
  );
  const residual2 = ratioOf(middleUnit, outputUnit);
  const outputValues: Int16Array[] = [];
  const outputMeter = createMeter();
  await runStage(
    runner,
    {
      inputs: [
        { name: hiddenName, shape: [n, mlpDim] },
        { name: middleName, shape: [n, dim] },
      ],
      build: (builder) => {
        const x = addGelu(builder, prefix, hiddenName, gelu.edge, addGeluTable(builder, geluTable));
        addFc2(builder, prefix, x, middleName, { fc2, residual2 });
      },
      outputs: [outputName],
    },
    photos,
    (photo) => [hiddenValues[photo] as Int16Array, middleValues[photo] as Int16Array],
    (photo, outputs) => {
      const output = int16Output(outputs, outputName);
      outputValues.push(output);
      measure(outputMeter, at('output', photo), (i) => (output[i] as number) * outputUnit);
    },
  );
  edges.push(edgeReport(outputName, outputMeter, outputUnit, 'tensor'));

  return {
    block: {
      norm1: norm1.edge,
      qkv,
      logits,
      attention: attention.edge,
      proj,
      residual1,
      norm2: norm2.edge,
      fc1,
      gelu: gelu.edge,
      fc2,
      residual2,
    },
    edges,
    streams: {
      floats: site('output').map((tensor) => tensor.slice()),
      integers: outputValues,
      unit: outputUnit,
    },
  };
}

function minimum(values: Int16Array): number {
  return values.reduce((a, b) => (a < b ? a : b), 0);
}
