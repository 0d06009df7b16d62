import { addEdge, type RecipeBlock, type RecipeLogits, type RowQuantized, wideName } from '@ivit/models';
import type { ProgramBuilder } from '@ivit/program';
import { type AttentionScales, attentionScales } from './attention.js';
import {
  type BlockContext,
  decideLinear,
  type EdgeResult,
  edgeOptions,
  floatOf,
  floatsOf,
  layerMeans,
  of,
} from './block-context.js';
import { channelMaxima, choosePlainEdge, type EdgeChoice, SYMMETRIC_ZERO_POINTS } from './edge.js';
import { createEdgeStatistics } from './edge-statistics.js';
import { largestOf, maxMagnitude } from './numeric.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { rowCodesOf, rowOutputs } from './row-codes.js';
import { energyOf } from './sensitivity.js';
import { chooseLogits, logitUnit, withFineQueries } from './softmax-choice.js';
import { int16Output, outputOf, runStage } from './stage.js';

/** What attention is made of in every architecture. */
export type AttentionParts = Pick<RecipeBlock, 'qkv' | 'logits' | 'attention'>;

/**
 * How an architecture attends.
 *
 * @typeParam Own what its blocks hold besides {@link AttentionParts}.
 */
export interface AttentionSite<Own extends object> {
  /** Keys of a row. */
  readonly keys: number;
  /** What the architecture adds to the logit of a pair that must not see each other: probability 0. Absent = no such pairs. */
  readonly mask?: number;
  /** Float logits of one photo as ranges and the report take them. */
  logitsOf(logits: Float32Array): Float32Array;
  /** What is decided once the logits' unit is known. */
  decide(logits: RecipeLogits): Own;
  /**
   * Appends qkv and attention on row-quantized `x`, and the row quantization of the result `PREFIX.attention`.
   *
   * @param apart whether wide rows attend by themselves.
   */
  build(builder: ProgramBuilder, x: RowQuantized, parts: AttentionParts & Own, apart: boolean): void;
}

export interface AttentionResult<Own extends object> {
  readonly parts: AttentionParts & Own;
  readonly attention: EdgeResult;
}

/** Decided qkv, and the real value of one unit of each of its channels. */
interface QkvChoice {
  readonly qkv: RecipeBlock['qkv'];
  readonly scales: AttentionScales;
}

function decideQkv(context: BlockContext, norm1: EdgeResult, name: string): QkvChoice {
  const { config, float, settings } = context;
  const { dim } = config;
  const floatQkv = floatsOf(context, 'qkv');
  const scales = attentionScales(config, channelMaxima(floatQkv, 3 * dim), settings.balance);
  const input = {
    ...norm1.statistics.nextInput(float.qkv.weight, scales.qkv, name),
    fineOutputs: settings.wideQueries ? dim : undefined,
  };
  const means = layerMeans(context, floatQkv, 3 * dim);
  return { qkv: decideLinear(context, 'qkv', input, means, () => energyOf(floatQkv, 3 * dim)), scales };
}

function decideEdge(context: BlockContext, scales: AttentionScales, keys: number, name: string): EdgeChoice {
  const { config, nonlinear, settings } = context;
  // A row of 16-bit probabilities sums to less than 2^15 + N, one of log2 weights to at most 1.5·2^15 + N; times int8 v.
  return choosePlainEdge(
    scales.qkv.subarray(2 * config.dim).map((scale) => scale / 32768),
    ((nonlinear.softmax === 'log2' ? 49152 : 32768) + keys) * 128,
    floatsOf(context, 'attention'),
    config.dim,
    SYMMETRIC_ZERO_POINTS,
    edgeOptions(context, settings.slots.attention, name),
  );
}

/** Stage 2: norm 1 → qkv → attention, row-quantized. */
export async function quantizeAttention<Own extends object>(
  context: BlockContext,
  site: AttentionSite<Own>,
  norm1: EdgeResult,
): Promise<AttentionResult<Own>> {
  const { config, prefix, tokens, edges, nonlinear } = context;
  const { dim } = config;
  const name = `${prefix}.attention`;
  const [norm1Name, qkvName, logitsName] = [`${prefix}.norm1`, `${prefix}.qkv`, `${name}.logits`];
  const { qkv, scales } = decideQkv(context, norm1, qkvName);
  const floatLogits = floatsOf(context, 'logits').map((logits) => site.logitsOf(logits));
  const largest = largestOf(floatLogits.map((tensor) => maxMagnitude(tensor)));
  const plainLogits = chooseLogits(config, scales, { largest, ...site }, nonlinear.softmax, logitsName);
  const apart = qkv.fine !== undefined;
  const logits = apart ? withFineQueries(config, plainLogits, logitsName) : plainLogits;
  const choice = decideEdge(context, scales, site.keys, name);
  const parts = { qkv, logits, attention: choice.edge, ...site.decide(logits) };
  const statistics = createEdgeStatistics(choice, tokens, dim);
  const values: Int16Array[] = [];
  const qkvMeter = createMeter();
  const logitMeter = createMeter();
  const unit = logitUnit(logits);
  await runStage(
    context.runner,
    {
      inputs: [{ name: norm1Name, shape: [tokens, dim] }],
      build: (builder) => site.build(builder, addEdge(builder, norm1Name, norm1.choice.edge), parts, apart),
      outputs: [
        ...rowOutputs(name, tokens, choice.edge, true),
        ...(apart ? [wideName(name)] : []),
        logitsName,
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
      const logitCodes = outputOf(outputs, logitsName).data;
      measure(logitMeter, floatLogits[photo] as Float32Array, (i) => (logitCodes[i] as number) * unit);
    },
  );
  edges.push(edgeReport(qkvName, qkvMeter, largestOf(scales.qkv), 'channel'));
  edges.push(edgeReport(logitsName, logitMeter, unit, 'tensor'));
  edges.push(statistics.report(name));
  return { parts, attention: { choice, statistics, values } };
}
