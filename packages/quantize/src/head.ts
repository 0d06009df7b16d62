import { addHead, addHeadNorm, headForward, LOGITS, type RecipeHead, tokenCount, type VitWeights } from '@ivit/models';
import type { Streams } from './block-context.js';
import { chooseNormEdge, type EdgeChoice } from './edge.js';
import { createEdgeStatistics, type EdgeStatistics } from './edge-statistics.js';
import { chooseFactors } from './factors.js';
import { finishLinear, roundLinear } from './linear.js';
import type { NonlinearChoice } from './nonlinear-choice.js';
import { magnitude, powerOfTwo } from './numeric.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { rowCodesOf } from './row-codes.js';
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

/** Decides final norm and classifier. Logits get the finest unit 2^-t, t ≤ 16, whose bound stays in int32. */
export async function quantizeHead(
  weights: VitWeights,
  streams: Streams,
  runner: StageRunner,
  nonlinear: NonlinearChoice,
  bits: number | undefined,
): Promise<HeadResult> {
  const { config } = weights;
  const { dim } = config;
  const n = tokenCount(config);
  const photos = streams.floats.length;
  const norms: Float32Array[] = [];
  const logits: Float32Array[] = [];
  for (const stream of streams.floats) {
    checkAborted(runner.signal);
    const float = headForward(weights, stream);
    norms.push(float.norm);
    logits.push(float.logits);
    runner.advance();
    await breathe();
  }
  const input = { name: 'stream', shape: [n, dim] };
  const integersOf = (photo: number): readonly Int16Array[] => [streams.integers[photo] as Int16Array];
  // Of all rows the norm reads the class token's alone.
  const classRows = streams.floats.map((stream) => stream.subarray(0, dim));
  const factors = nonlinear.norm === 'ptf' ? chooseFactors(classRows, dim, streams.unit) : undefined;
  const norm = chooseNormEdge(weights.norm, undefined, norms, 'norm', factors);
  const statistics = createEdgeStatistics(norm, 1, dim);
  await runStage(
    runner,
    {
      inputs: [input],
      build: (builder) => void addHeadNorm(builder, input.name, norm.edge),
      outputs: ['norm.row', 'norm.codes'],
    },
    photos,
    integersOf,
    (photo, outputs) => statistics.add(rowCodesOf(outputs, 'norm', 1), norms[photo] as Float32Array),
  );
  const head = decideHead(weights, statistics, norm, bits);
  const meter = createMeter();
  const unit = powerOfTwo(-head.outputShift);
  await runStage(
    runner,
    {
      inputs: [input],
      build: (builder) => void addHead(builder, addHeadNorm(builder, input.name, norm.edge), head),
      outputs: [LOGITS],
    },
    photos,
    integersOf,
    (photo, outputs) => {
      const { data } = outputOf(outputs, LOGITS);
      measure(meter, logits[photo] as Float32Array, (i) => (data[i] as number) * unit);
    },
  );
  const edges = [statistics.report('norm'), edgeReport(LOGITS, meter, unit, 'tensor')];
  return { head, edges };
}

function decideHead(
  weights: VitWeights,
  statistics: EdgeStatistics,
  norm: EdgeChoice,
  bits: number | undefined,
): RecipeHead {
  const { weight, bias } = weights.head;
  const classes = bias.data.length;
  const dim = weight.data.length / classes;
  // β's part that the norm's int16 step cannot express: Σ_c W[n,c]·rest[c] joins the bias.
  const realBias = Float64Array.from(bias.data, (entry, n) => {
    let sum = entry;
    for (let c = 0; c < dim; c += 1) sum += (weight.data[n * dim + c] as number) * (norm.rest?.[c] ?? 0);
    return sum;
  });
  const input = { ...statistics.nextInput(weight, new Float64Array(classes).fill(1), 'head'), bits };
  const rounded = roundLinear(input);
  for (let outputShift = MAX_OUTPUT_SHIFT; outputShift > 0; outputShift -= 1) {
    const scale = powerOfTwo(outputShift);
    const inUnits = { ...rounded, ratios: rounded.ratios.map((ratio) => ratio * scale) };
    const linear = finishLinear(
      input,
      inUnits,
      realBias.map((entry) => entry * scale),
    );
    const { m, e, k, bias: integerBias } = linear.scaling;
    const fits = m.every((multiplier, c) => {
      const numerator =
        (rounded.bounds[c] as number) * input.rowFactor * magnitude(multiplier) +
        magnitude(integerBias[c] as number) * powerOfTwo(k);
      return numerator + powerOfTwo(e) <= INT32_MAX * powerOfTwo(e);
    });
    if (fits) return { norm: norm.edge, linear, outputShift };
  }
  return { norm: norm.edge, linear: finishLinear(input, rounded, realBias), outputShift: 0 };
}
