import {
  addEdge,
  addRowQuantize,
  addShiftMask,
  addWindowAttention,
  type FloatTensor,
  type SwinBlockGeometry,
  type SwinBlockStep,
  type SwinRecipeBlock,
  shiftMask,
  spreadBias,
} from '@ivit/models';
import { attentionScales, logitScaling } from '../attention.js';
import type { AttentionResult } from '../block-attention.js';
import {
  type BlockContext,
  decideLinear,
  type EdgeResult,
  edgeOptions,
  floatOf,
  floatsOf,
  layerMeans,
  of,
} from '../block-context.js';
import { channelMaxima, choosePlainEdge, SYMMETRIC_ZERO_POINTS } from '../edge.js';
import { createEdgeStatistics } from '../edge-statistics.js';
import { largestOf, magnitude, powerOfTwo, roundHalfEven } from '../numeric.js';
import { createMeter, edgeReport, measure } from '../quality.js';
import { rowCodesOf } from '../row-codes.js';
import { int16Output, outputOf, runStage } from '../stage.js';

/** What Swin's code adds to a masked pair's logit. */
const MASK = -100;

export interface WindowAttentionResult extends AttentionResult {
  readonly positionBias: SwinRecipeBlock['positionBias'];
  readonly maskUnits: number;
}

/** Logits `[windows,H,N,N]` with the mask's -100 taken off again, for ranges and the report. */
function unmasked(logits: Float32Array, { side, window, shift, heads }: SwinBlockGeometry): Float32Array {
  if (shift === 0) return logits;
  const mask = shiftMask(side, window, shift);
  const pairs = window ** 4;
  return logits.map((logit, i) => {
    const at = Math.floor(i / (pairs * heads)) * pairs + (i % pairs);
    return mask[at] === 1 ? logit - MASK : logit;
  });
}

/** Position biases as int16 in the logits' unit, saturated. */
function quantizeBias(table: FloatTensor, { window, heads }: SwinBlockGeometry, units: number): Int16Array {
  const spread = spreadBias(table.data, window, heads, (length) => new Float32Array(length));
  return Int16Array.from(spread, (bias) => Math.max(-32768, Math.min(32767, roundHalfEven(bias * units))));
}

/** Stage 2 of a Swin block: norm 1 → qkv → attention within windows, row-quantized. */
export async function quantizeWindowAttention(
  context: BlockContext,
  step: SwinBlockStep,
  table: FloatTensor,
  norm1: EdgeResult,
): Promise<WindowAttentionResult> {
  const { config, float, prefix, tokens, edges } = context;
  const { geometry } = step;
  const { dim } = config;
  const keys = geometry.window * geometry.window;
  const name = `${prefix}.attention`;
  const qkvName = `${prefix}.qkv`;
  const floatQkv = floatsOf(context, 'qkv');
  const scales = attentionScales(config, channelMaxima(floatQkv, 3 * dim));
  const qkv = decideLinear(
    context,
    'qkv',
    norm1.statistics.nextInput(float.qkv.weight, scales.qkv, qkvName),
    layerMeans(context, floatQkv, 3 * dim),
    () => 0,
  );
  const floatLogits = floatsOf(context, 'logits').map((logits) => unmasked(logits, geometry));
  const largest = largestOf(floatLogits.map((logits) => logits.reduce((a, b) => Math.max(a, magnitude(b)), 0)));
  const logits = logitScaling(config, scales, largest, `${name}.logits`);
  const units = Math.LOG2E * powerOfTwo(logits.fractionBits);
  const positionBias = quantizeBias(table, geometry, units);
  const maskUnits = roundHalfEven(MASK * units);
  const choice = choosePlainEdge(
    scales.qkv.subarray(2 * dim).map((scale) => scale / 32768),
    (32768 + keys) * 128,
    floatsOf(context, 'attention'),
    dim,
    SYMMETRIC_ZERO_POINTS,
    edgeOptions(context, 0, name),
  );
  const statistics = createEdgeStatistics(choice, tokens, dim);
  const values: Int16Array[] = [];
  const qkvMeter = createMeter();
  const logitMeter = createMeter();
  const norm1Name = `${prefix}.norm1`;
  await runStage(
    context.runner,
    {
      inputs: [{ name: norm1Name, shape: [tokens, dim] }],
      build: (builder) => {
        const x = addEdge(builder, norm1Name, norm1.choice.edge);
        const mask = geometry.shift === 0 ? undefined : addShiftMask(builder, step.stage, geometry);
        const block = { qkv, logits, attention: choice.edge, positionBias, maskUnits };
        const attention = addWindowAttention(builder, geometry, prefix, x, block, mask);
        addRowQuantize(builder, name, builder.reshape(attention, [tokens, dim]), choice.edge);
      },
      outputs: [name, `${name}.row`, `${name}.codes`, `${name}.logits`, qkvName],
    },
    norm1.values.length,
    (photo) => [of(norm1.values, photo)],
    (photo, outputs) => {
      values.push(int16Output(outputs, name));
      statistics.add(rowCodesOf(outputs, name, tokens, choice.edge), floatOf(context, 'attention', photo));
      const codes = outputOf(outputs, qkvName).data;
      measure(
        qkvMeter,
        floatOf(context, 'qkv', photo),
        (i) => (codes[i] as number) * (scales.qkv[i % (3 * dim)] as number),
      );
      const logitCodes = outputOf(outputs, `${name}.logits`).data;
      measure(logitMeter, floatLogits[photo] as Float32Array, (i) => (logitCodes[i] as number) / units);
    },
  );
  edges.push(edgeReport(qkvName, qkvMeter, largestOf(scales.qkv), 'channel'));
  edges.push(edgeReport(`${name}.logits`, logitMeter, 1 / units, 'tensor'));
  edges.push(statistics.report(name));
  return { qkv, logits, positionBias, maskUnits, attention: { choice, statistics, values } };
}
