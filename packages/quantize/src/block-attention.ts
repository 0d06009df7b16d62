import {
  addAttention,
  addEdge,
  addNorm,
  addProjection,
  addSoftmaxTable,
  type RecipeBlock,
  wideName,
} from '@ivit/models';
import { attentionScales } from './attention.js';
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
} from './block-context.js';
import { channelMaxima, chooseNormEdge, choosePlainEdge, SYMMETRIC_ZERO_POINTS } from './edge.js';
import { createEdgeStatistics } from './edge-statistics.js';
import { chooseFactors } from './factors.js';
import { largestOf, maxMagnitude } from './numeric.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { rowCodesOf, rowOutputs } from './row-codes.js';
import { ratioOf } from './scaling.js';
import { addedEnergy, energyOf } from './sensitivity.js';
import { chooseLogits, logitUnit as unitOfLogits, withFineQueries } from './softmax-choice.js';
import { int16Output, outputOf, runStage } from './stage.js';

/** The residual stream that enters the block, under a name of its own within a stage. */
function residualOf({ prefix, tokens, config }: BlockContext): { name: string; shape: readonly number[] } {
  return { name: `${prefix}.input`, shape: [tokens, config.dim] };
}

/** Stage 1: residual stream → norm 1, row-quantized. */
export async function quantizeNorm1(context: BlockContext): Promise<EdgeResult> {
  const { config, float, prefix, tokens, streams, settings } = context;
  const name = `${prefix}.norm1`;
  const residual = residualOf(context);
  const factors =
    context.nonlinear.norm === 'ptf' ? chooseFactors(streams.floats, config.dim, streams.unit) : undefined;
  const choice = chooseNormEdge(
    float.norm1,
    float.qkv.weight,
    floatsOf(context, 'ln1'),
    edgeOptions(context, settings.slots.norm, name),
    factors,
  );
  const statistics = createEdgeStatistics(choice, tokens, config.dim);
  const values: Int16Array[] = [];
  await runStage(
    context.runner,
    {
      inputs: [residual],
      build: (builder) => void addNorm(builder, name, residual.name, choice.edge),
      outputs: rowOutputs(name, tokens, choice.edge, true),
    },
    streams.integers.length,
    (photo) => [of(streams.integers, photo)],
    (photo, outputs) => {
      values.push(int16Output(outputs, name));
      statistics.add(rowCodesOf(outputs, name, tokens, choice.edge), floatOf(context, 'ln1', photo));
    },
  );
  context.edges.push(statistics.report(name));
  return { choice, statistics, values };
}

export interface AttentionResult {
  readonly qkv: RecipeBlock['qkv'];
  readonly logits: RecipeBlock['logits'];
  readonly attention: EdgeResult;
}

/** Stage 2: norm 1 → qkv → attention, row-quantized. */
export async function quantizeAttention(context: BlockContext, norm1: EdgeResult): Promise<AttentionResult> {
  const { config, float, prefix, tokens, edges, settings } = context;
  const { dim } = config;
  const name = `${prefix}.attention`;
  const qkvName = `${prefix}.qkv`;
  const floatQkv = floatsOf(context, 'qkv');
  const scales = attentionScales(config, channelMaxima(floatQkv, 3 * dim), settings.balance);
  const qkv = decideLinear(
    context,
    'qkv',
    {
      ...norm1.statistics.nextInput(float.qkv.weight, scales.qkv, qkvName),
      fineOutputs: settings.wideQueries ? dim : undefined,
    },
    layerMeans(context, floatQkv, 3 * dim),
    () => energyOf(floatQkv, 3 * dim),
  );
  const largestLogit = largestOf(floatsOf(context, 'logits').map((tensor) => maxMagnitude(tensor)));
  const { softmax } = context.nonlinear;
  const plainLogits = chooseLogits(config, scales, largestLogit, tokens, softmax, `${name}.logits`);
  const apart = qkv.fine !== undefined;
  const logits = apart ? withFineQueries(config, plainLogits, `${name}.logits`) : plainLogits;
  // A row of 16-bit probabilities sums to less than 2^15 + N, one of log2 weights to at most 1.5·2^15 + N; times int8 v.
  const choice = choosePlainEdge(
    scales.qkv.subarray(2 * dim).map((scale) => scale / 32768),
    ((softmax === 'log2' ? 49152 : 32768) + tokens) * 128,
    floatsOf(context, 'attention'),
    dim,
    SYMMETRIC_ZERO_POINTS,
    edgeOptions(context, settings.slots.attention, name),
  );
  const statistics = createEdgeStatistics(choice, tokens, dim);
  const values: Int16Array[] = [];
  const qkvMeter = createMeter();
  const logitMeter = createMeter();
  const logitUnit = unitOfLogits(logits);
  const norm1Name = `${prefix}.norm1`;
  await runStage(
    context.runner,
    {
      inputs: [{ name: norm1Name, shape: [tokens, dim] }],
      build: (builder) => {
        const x = addEdge(builder, norm1Name, norm1.choice.edge);
        const table = addSoftmaxTable(builder, logits);
        addAttention(builder, config, prefix, x, { qkv, logits, attention: choice.edge }, table);
        addEdge(builder, name, choice.edge, apart);
      },
      outputs: [
        ...rowOutputs(name, tokens, choice.edge, true),
        ...(apart ? [wideName(name)] : []),
        `${name}.logits`,
        qkvName,
      ],
    },
    norm1.values.length,
    (photo) => [of(norm1.values, photo)],
    (photo, outputs) => {
      const mixed = int16Output(outputs, name);
      if (apart) mixed.set(int16Output(outputs, wideName(name)));
      values.push(mixed);
      statistics.add(rowCodesOf(outputs, name, tokens, choice.edge, apart), floatOf(context, 'attention', photo));
      const codes = outputOf(outputs, qkvName).data;
      const units = scales.qkv;
      measure(qkvMeter, floatOf(context, 'qkv', photo), (i) => (codes[i] as number) * (units[i % (3 * dim)] as number));
      const logitCodes = outputOf(outputs, `${name}.logits`).data;
      measure(logitMeter, floatOf(context, 'logits', photo), (i) => (logitCodes[i] as number) * logitUnit);
    },
  );
  edges.push(edgeReport(qkvName, qkvMeter, largestOf(scales.qkv), 'channel'));
  edges.push(edgeReport(`${name}.logits`, logitMeter, logitUnit, 'tensor'));
  edges.push(statistics.report(name));
  return { qkv, logits, attention: { choice, statistics, values } };
}

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
  const residual = residualOf(context);
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
  const factors = context.nonlinear.norm === 'ptf' ? chooseFactors(floatMiddle, dim, unit) : undefined;
  const choice = chooseNormEdge(
    float.norm2,
    float.fc1.weight,
    floatsOf(context, 'ln2'),
    edgeOptions(context, settings.slots.norm, norm2Name),
    factors,
  );
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
