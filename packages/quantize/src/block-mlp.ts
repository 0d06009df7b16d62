import { addEdge, addFc1, addFc2, addGelu, addGeluTable, type RecipeBlock } from '@ivit/models';
import {
  type BlockContext,
  decideLinear,
  type EdgeResult,
  edgeOptions,
  floatOf,
  floatsOf,
  int16Unit,
  layerMeans,
  of,
  type Streams,
} from './block-context.js';
import type { ProjectionResult } from './block-projection.js';
import { choosePlainEdge, GELU_ZERO_POINTS } from './edge.js';
import { createEdgeStatistics } from './edge-statistics.js';
import { chooseHidden, type HiddenSteps } from './hidden-steps.js';
import { powerOfTwo, roundHalfEven } from './numeric.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { rowCodesOf, rowOutputs } from './row-codes.js';
import { ratioOf } from './scaling.js';
import { addedEnergy, energyOf } from './sensitivity.js';
import { int16Output, runStage } from './stage.js';

export interface HiddenResult {
  readonly fc1: RecipeBlock['fc1'];
  readonly steps: HiddenSteps;
  /** int16 fc1 output per photo. */
  readonly values: readonly Int16Array[];
  /** Its `values` are not kept: the next stage starts from fc1's. */
  readonly gelu: EdgeResult;
}

/** Stage 4: norm 2 → fc1 → GELU, row-quantized. */
export async function quantizeHidden(context: BlockContext, norm2: EdgeResult): Promise<HiddenResult> {
  const { config, float, prefix, tokens, edges, settings } = context;
  const { dim, mlpDim } = config;
  const name = `${prefix}.fc1`;
  const floatFc1 = floatsOf(context, 'fc1');
  const steps = chooseHidden(context, floatFc1);
  const { unit } = steps;
  const fc1 = decideLinear(
    context,
    'fc1',
    norm2.statistics.nextInput(float.fc1.weight, new Float64Array(mlpDim).fill(unit), name),
    layerMeans(context, floatFc1, mlpDim),
    () => energyOf(floatFc1, mlpDim),
  );
  const geluName = `${prefix}.gelu`;
  const choice = choosePlainEdge(
    Float64Array.of(steps.geluUnit),
    32768 * powerOfTwo(steps.ramp),
    floatsOf(context, 'gelu'),
    mlpDim,
    GELU_ZERO_POINTS,
    edgeOptions(context, settings.slots.gelu, geluName),
    settings.spread ? float.fc2.weight : undefined,
  );
  const statistics = createEdgeStatistics(choice, tokens, mlpDim);
  const values: Int16Array[] = [];
  const meter = createMeter();
  const norm2Name = `${prefix}.norm2`;
  await runStage(
    context.runner,
    {
      inputs: [{ name: norm2Name, shape: [tokens, dim] }],
      build: (builder) => {
        const x = addEdge(builder, norm2Name, norm2.choice.edge);
        const hidden = addFc1(builder, prefix, x, { fc1 });
        addGelu(builder, prefix, hidden, choice.edge, addGeluTable(builder, steps.table), steps.ramp);
      },
      outputs: [name, ...rowOutputs(geluName, tokens, choice.edge)],
    },
    norm2.values.length,
    (photo) => [of(norm2.values, photo)],
    (photo, outputs) => {
      const hidden = int16Output(outputs, name);
      values.push(hidden);
      measure(meter, floatOf(context, 'fc1', photo), (i) => (hidden[i] as number) * unit);
      statistics.add(rowCodesOf(outputs, geluName, tokens, choice.edge), floatOf(context, 'gelu', photo));
    },
  );
  edges.push(edgeReport(name, meter, unit, 'tensor'));
  edges.push(statistics.report(geluName));
  return { fc1, steps, values, gelu: { choice, statistics, values: [] } };
}

export interface OutputResult {
  readonly fc2: RecipeBlock['fc2'];
  readonly residual2: RecipeBlock['residual2'];
  readonly streams: Streams;
}

/** Stage 5: GELU → fc2 → residual addition. */
export async function quantizeOutput(
  context: BlockContext,
  { values: hidden, gelu, steps }: HiddenResult,
  middle: ProjectionResult,
): Promise<OutputResult> {
  const { config, float, prefix, tokens, edges } = context;
  const { dim, mlpDim } = config;
  const name = `${prefix}.residual2`;
  const floatOutput = floatsOf(context, 'output');
  const unit = int16Unit(floatOutput, name, context.settings.residualMargin);
  // GELU is never below -0.17, so the overflow proof of rows needs no int16 beneath that.
  const lowest = roundHalfEven((least(steps.table) * steps.geluUnit) / gelu.choice.step) - 1;
  const fc2 = decideLinear(
    context,
    'fc2',
    gelu.statistics.nextInput(float.fc2.weight, new Float64Array(dim).fill(unit), `${prefix}.fc2`, lowest),
    layerMeans(context, floatOutput, dim, floatsOf(context, 'afterAttention')),
    () => addedEnergy(floatsOf(context, 'afterAttention'), floatOutput, dim),
  );
  const residual2 = ratioOf(middle.unit, unit);
  const integers: Int16Array[] = [];
  const meter = createMeter();
  const hiddenName = `${prefix}.fc1`;
  const middleName = `${prefix}.residual1`;
  await runStage(
    context.runner,
    {
      inputs: [
        { name: hiddenName, shape: [tokens, mlpDim] },
        { name: middleName, shape: [tokens, dim] },
      ],
      build: (builder) => {
        const x = addGelu(
          builder,
          prefix,
          hiddenName,
          gelu.choice.edge,
          addGeluTable(builder, steps.table),
          steps.ramp,
        );
        addFc2(builder, prefix, x, middleName, { fc2, residual2 });
      },
      outputs: [name],
    },
    hidden.length,
    (photo) => [of(hidden, photo), of(middle.values, photo)],
    (photo, outputs) => {
      const output = int16Output(outputs, name);
      integers.push(output);
      measure(meter, floatOf(context, 'output', photo), (i) => (output[i] as number) * unit);
    },
  );
  edges.push(edgeReport(name, meter, unit, 'tensor'));
  return { fc2, residual2, streams: { floats: floatOutput.map((tensor) => tensor.slice()), integers, unit } };
}

function least(values: Int16Array): number {
  return values.reduce((a, b) => (a < b ? a : b), 0);
}
