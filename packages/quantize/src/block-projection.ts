import { addEdge, addNorm, addProjection, type RecipeBlock } from '@ivit/models';
import {
  type BlockContext,
  decideLinear,
  type EdgeResult,
  floatOf,
  floatsOf,
  int16Unit,
  layerMeans,
  of,
} from './block-context.js';
import { createEdgeStatistics } from './edge-statistics.js';
import { chooseStreamNorm } from './norm-stage.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { rowCodesOf, rowOutputs } from './row-codes.js';
import { ratioOf } from './scaling.js';
import { addedEnergy } from './sensitivity.js';
import { int16Output, runStage } from './stage.js';

export interface ProjectionResult {
  readonly proj: RecipeBlock['proj'];
  readonly residual1: RecipeBlock['residual1'];
  /** Residual stream between the two halves of the block, and its unit. */
  readonly values: readonly Int16Array[];
  readonly unit: number;
  readonly norm2: EdgeResult;
}

/** Stage 3: attention → projection → residual addition → norm 2, row-quantized. */
export async function quantizeProjection(context: BlockContext, attention: EdgeResult): Promise<ProjectionResult> {
  const { config, float, prefix, tokens, streams, edges, settings } = context;
  const { dim, heads } = config;
  const name = `${prefix}.residual1`;
  const residual = { name: `${prefix}.input`, shape: [tokens, dim] };
  const floatMiddle = floatsOf(context, 'afterAttention');
  const unit = int16Unit(floatMiddle, name, settings.residualMargin);
  const proj = decideLinear(
    context,
    'proj',
    attention.statistics.nextInput(float.proj.weight, new Float64Array(dim).fill(unit), `${prefix}.proj`),
    layerMeans(context, floatMiddle, dim, streams.floats),
    () => addedEnergy(streams.floats, floatMiddle, dim),
  );
  const residual1 = ratioOf(streams.unit, unit);
  const norm2Name = `${prefix}.norm2`;
  const choice = chooseStreamNorm(context, {
    name: norm2Name,
    norm: float.norm2,
    next: float.fc1.weight,
    stream: { floats: floatMiddle, unit },
    floats: floatsOf(context, 'ln2'),
  });
  const statistics = createEdgeStatistics(choice, tokens, dim);
  const values: Int16Array[] = [];
  const norm2Values: Int16Array[] = [];
  const meter = createMeter();
  const attentionName = `${prefix}.attention`;
  await runStage(
    context.runner,
    {
      inputs: [{ name: attentionName, shape: [tokens, heads, dim / heads] }, residual],
      build: (builder) => {
        const x = addEdge(builder, attentionName, attention.choice.edge);
        const middle = addProjection(builder, prefix, x, residual.name, { proj, residual1 });
        addNorm(builder, norm2Name, middle, choice.edge);
      },
      outputs: [name, ...rowOutputs(norm2Name, tokens, choice.edge, true)],
    },
    attention.values.length,
    (photo) => [of(attention.values, photo), of(streams.integers, photo)],
    (photo, outputs) => {
      const middle = int16Output(outputs, name);
      values.push(middle);
      norm2Values.push(int16Output(outputs, norm2Name));
      measure(meter, floatOf(context, 'afterAttention', photo), (i) => (middle[i] as number) * unit);
      statistics.add(rowCodesOf(outputs, norm2Name, tokens, choice.edge), floatOf(context, 'ln2', photo));
    },
  );
  edges.push(edgeReport(name, meter, unit, 'tensor'));
  edges.push(statistics.report(norm2Name));
  return { proj, residual1, values, unit, norm2: { choice, statistics, values: norm2Values } };
}
