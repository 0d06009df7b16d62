import {
  addHead,
  addHeadNorm,
  type FloatLinear,
  type HeadActivations,
  type HeadWeights,
  headForward,
  LOGITS,
  LOW_BITS,
  prefixTokens,
  type RecipeFactors,
  type RecipeHead,
  type RecipeLinear,
  readoutOf,
  tokenCount,
  wideShift,
} from '@ivit/models';
import type { Streams } from './block-context.js';
import { chooseNormEdge, chooseStep, type EdgeChoice, SYMMETRIC_ZERO_POINTS } from './edge.js';
import { createEdgeStatistics, type EdgeStatistics } from './edge-statistics.js';
import { chooseFactors } from './factors.js';
import {
  absoluteSum,
  finishLinear,
  foldWeights,
  type RoundedLinear,
  type RowLinearInput,
  roundLinear,
} from './linear.js';
import type { NonlinearChoice } from './nonlinear-choice.js';
import { magnitude, powerOfTwo, roundHalfEven } from './numeric.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { rowCodesOf, rowOutputs } from './row-codes.js';
import type { PtqSettings } from './settings.js';
import { breathe, checkAborted, outputOf, runStage, type StageRunner } from './stage.js';
import type { EdgeReport } from './types.js';

const INT32_MAX = 2147483647;
const MAX_OUTPUT_SHIFT = 16;

export interface HeadResult {
  readonly head: RecipeHead;
  readonly edges: readonly EdgeReport[];
}

/** Passes of one photo through {@link quantizeHead}, for progress. */
export const HEAD_PASSES = 3;

/** One classifier and what it reads: the class row, or the distillation row. */
interface Classifier {
  /** Of the normalized row in the program. */
  readonly name: string;
  readonly head: FloatLinear;
  readonly choice: EdgeChoice;
  readonly statistics: EdgeStatistics;
  readonly floats: readonly Float32Array[];
}

/** Rows of the residual stream that the final norm reads. */
function rowsRead({ config }: HeadWeights, stream: Float32Array): Float32Array {
  const readout = readoutOf(config);
  if (readout === 'class') return stream.subarray(0, config.dim);
  return readout === 'distilled'
    ? stream.subarray(0, 2 * config.dim)
    : stream.subarray(prefixTokens(config) * config.dim);
}

function classifiersOf(
  weights: HeadWeights,
  floats: readonly HeadActivations[],
  settings: PtqSettings,
  factors: RecipeFactors | undefined,
): readonly Classifier[] {
  const classifier = (name: string, head: FloatLinear, rows: readonly Float32Array[], norms = rows): Classifier => {
    const options = { settings, slots: 0, wideRows: settings.wideTokens ? 1 : 0, where: name };
    const norm = chooseNormEdge(weights.norm, undefined, norms, options, factors);
    // Where rows are averaged after the norm, the row that gets an int8 scale is the mean, not what the step is for.
    const { zeroPoint } =
      norms === rows ? norm.edge : chooseStep(rows, weights.config.dim, SYMMETRIC_ZERO_POINTS, options);
    const choice = { ...norm, edge: { ...norm.edge, zeroPoint } };
    return { name, head, choice, statistics: createEdgeStatistics(choice, 1, weights.config.dim), floats: rows };
  };
  const rows = floats.flatMap((float) => float.rows ?? []);
  const norms = floats.map((float) => float.norm);
  const main = classifier('norm', weights.head, norms, rows.length > 0 ? rows : norms);
  if (weights.distillationHead === undefined) return [main];
  const distillation = floats.flatMap((float) => float.distillationNorm ?? []);
  return [main, classifier('norm.distillation', weights.distillationHead, distillation)];
}

/**
 * Decides final norm and classifier. Logits get the finest unit 2^-t, t ≤ 16, whose bound stays in int32.
 * With a distillation head each classifier yields half its logits, and the program adds the two.
 */
export async function quantizeHead(
  weights: HeadWeights,
  streams: Streams,
  runner: StageRunner,
  settings: PtqSettings,
  nonlinear: NonlinearChoice,
  bits: number | undefined,
): Promise<HeadResult> {
  const { config } = weights;
  const floats: HeadActivations[] = [];
  for (const stream of streams.floats) {
    checkAborted(runner.signal);
    floats.push(headForward(weights, stream));
    runner.advance();
    await breathe();
  }
  const rows = streams.floats.map((stream) => rowsRead(weights, stream));
  const factors = nonlinear.norm === 'ptf' ? chooseFactors(rows, config.dim, streams.unit) : undefined;
  const classifiers = classifiersOf(weights, floats, settings, factors);
  const [main, distillation] = classifiers;
  if (main === undefined) throw new RangeError('a model has a classifier');
  const norms = {
    norm: main.choice.edge,
    ...(distillation === undefined ? {} : { distillation: { norm: distillation.choice.edge } }),
  };
  const input = { name: 'stream', shape: [tokenCount(config), config.dim] };
  const integersOf = (photo: number): readonly Int16Array[] => [streams.integers[photo] as Int16Array];
  await runStage(
    runner,
    {
      inputs: [input],
      build: (builder) => void addHeadNorm(builder, config, input.name, norms),
      outputs: classifiers.flatMap(({ name, choice }) => rowOutputs(name, 1, choice.edge)),
    },
    floats.length,
    integersOf,
    (photo, outputs) => {
      for (const { name, choice, statistics, floats: rows } of classifiers) {
        statistics.add(rowCodesOf(outputs, name, 1, choice.edge), rows[photo] as Float32Array);
      }
    },
  );
  const head = decideHead(classifiers, settings, bits);
  const meter = createMeter();
  const unit = powerOfTwo(-head.outputShift);
  await runStage(
    runner,
    {
      inputs: [input],
      build: (builder) => void addHead(builder, addHeadNorm(builder, config, input.name, head), head),
      outputs: [LOGITS],
    },
    floats.length,
    integersOf,
    (photo, outputs) => {
      const { data } = outputOf(outputs, LOGITS);
      measure(meter, (floats[photo] as HeadActivations).logits, (i) => (data[i] as number) * unit);
    },
  );
  const edges = [
    ...classifiers.map(({ name, statistics }) => statistics.report(name)),
    edgeReport(LOGITS, meter, unit, 'tensor'),
  ];
  return { head, edges };
}

/** A classifier with rounded weights; its share of the logits and its unit are still open. */
interface RoundedClassifier {
  readonly classifier: Classifier;
  readonly input: RowLinearInput;
  readonly rounded: RoundedLinear;
  readonly bias: Float64Array;
  readonly low?: Int8Array;
}

/** What weights rounded to their nearest leave, in 4 bits of a sixteenth of their unit. */
function lowerBits(input: RowLinearInput, { weight, ratios }: RoundedLinear): Int8Array {
  const { step, outputUnits } = input;
  const folded = foldWeights(input.weight, input.migration);
  const size = weight.length / ratios.length;
  const steps = powerOfTwo(LOW_BITS);
  return Int8Array.from(weight, (code, i) => {
    const n = Math.floor(i / size);
    const unit = ((ratios[n] as number) * 16 * (outputUnits[n] as number)) / step;
    if (unit === 0) return 0;
    const real = folded[i] as number;
    return Math.max(-steps / 2, Math.min(steps / 2 - 1, roundHalfEven((real / unit - code) * steps)));
  });
}

function roundClassifier(classifier: Classifier, settings: PtqSettings, bits: number | undefined): RoundedClassifier {
  const { head, choice, statistics } = classifier;
  const { weight, bias } = head;
  const classes = bias.data.length;
  const dim = weight.data.length / classes;
  // β's part that the norm's int16 step cannot express: Σ_c W[n,c]·rest[c] joins the bias.
  const realBias = Float64Array.from(bias.data, (entry, n) => {
    let sum = entry;
    for (let c = 0; c < dim; c += 1) sum += (weight.data[n * dim + c] as number) * (choice.rest?.[c] ?? 0);
    return sum;
  });
  const units = new Float64Array(classes).fill(1);
  const next = statistics.nextInput(weight, units, 'head');
  const fine = settings.fineHead && settings.wideTokens && bits === undefined;
  const { paths, rounding } = settings;
  const input = { ...next, bits, nearest: fine || rounding === 'nearest', paths };
  const rounded = roundLinear(input);
  const low = fine ? { low: lowerBits(input, rounded) } : {};
  return { classifier, input, rounded, bias: realBias, ...low };
}

/** The layer in units of 1/scale. */
function scaled({ input, rounded, bias, low }: RoundedClassifier, scale: number): RecipeLinear {
  const lower = low === undefined ? {} : { low };
  if (scale === 1) return { ...finishLinear(input, rounded, bias), ...lower };
  const inUnits = { ...rounded, ratios: rounded.ratios.map((ratio) => ratio * scale) };
  const finished = finishLinear(
    input,
    inUnits,
    bias.map((entry) => entry * scale),
  );
  return { ...finished, ...lower };
}

/** {@link staysWithin} for a row that stays int16. */
function wideStaysWithin(limit: number, { weight }: RoundedLinear, { wide, low }: RecipeLinear): boolean {
  if (wide === undefined) return false;
  const { m, e, z } = wide;
  const size = weight.length / m.length;
  const largest = 32768 * powerOfTwo(-wideShift(size));
  return m.every((multiplier, n) => {
    const lower = low === undefined ? 0 : absoluteSum(low, n, size) / powerOfTwo(LOW_BITS) + 1;
    const reach = (largest * (absoluteSum(weight, n, size) + lower) * magnitude(multiplier)) / powerOfTwo(e);
    return reach + magnitude(z?.[n] ?? 0) + 1 <= limit;
  });
}

/** Whether no result can pass `limit`. */
function staysWithin(limit: number, { input, rounded }: RoundedClassifier, linear: RecipeLinear): boolean {
  if (linear.wide !== undefined) return wideStaysWithin(limit, rounded, linear);
  const { m, e, k, bias } = linear.scaling;
  return m.every((multiplier, c) => {
    const numerator =
      (rounded.bounds[c] as number) * input.rowFactor * magnitude(multiplier) +
      magnitude(bias[c] as number) * powerOfTwo(k);
    return numerator + powerOfTwo(e) <= limit * powerOfTwo(e);
  });
}

function decideHead(classifiers: readonly Classifier[], settings: PtqSettings, bits: number | undefined): RecipeHead {
  const heads = classifiers.map((classifier) => roundClassifier(classifier, settings, bits));
  const share = 1 / heads.length;
  for (let outputShift = MAX_OUTPUT_SHIFT; ; outputShift -= 1) {
    const linears = heads.map((head) => scaled(head, share * powerOfTwo(outputShift)));
    const fits = heads.every((head, i) => staysWithin(INT32_MAX * share, head, linears[i] as RecipeLinear));
    if (!fits && outputShift > 0) continue;
    const [main, distillation] = classifiers.map((classifier, i) => ({
      norm: classifier.choice.edge,
      linear: linears[i] as RecipeLinear,
    }));
    if (main === undefined) throw new RangeError('a model has a classifier');
    return { ...main, ...(distillation === undefined ? {} : { distillation }), outputShift };
  }
}
