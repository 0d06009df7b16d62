import {
  addEdge,
  addReduction,
  type SwinMergingStep,
  type SwinMergingWeights,
  type SwinRecipeMerging,
  swinMergingForward,
  swinMergingPrefix,
} from '@ivit/models';
import type { BlockRun } from '../block.js';
import { decideLayer, int16Unit, layerMeans, of, type Streams } from '../block-context.js';
import { type NormContext, quantizeNorm } from '../norm-stage.js';
import { createMeter, edgeReport, measure } from '../quality.js';
import { breathe, checkAborted, int16Output, runStage } from '../stage.js';
import type { EdgeReport } from '../types.js';

export interface SwinMergingResult {
  readonly merging: SwinRecipeMerging;
  readonly edges: readonly EdgeReport[];
  readonly streams: Streams;
}

/** Passes of one photo through {@link quantizeMerging}, for progress. */
export const MERGING_PASSES = 3;

/**
 * Decides patch merging: norm over four neighbors, row-quantized, reduction to a residual stream of a new unit.
 *
 * @param streams `[T/4,4C]`, four neighbors side by side.
 */
export async function quantizeMerging(
  float: SwinMergingWeights,
  { stage, geometry }: SwinMergingStep,
  eps: number,
  streams: Streams,
  { choices, runner }: BlockRun,
): Promise<SwinMergingResult> {
  const rows = (geometry.side * geometry.side) / 4;
  const width = 4 * geometry.dim;
  const prefix = swinMergingPrefix(stage);
  const norms: Float32Array[] = [];
  const floats: Float32Array[] = [];
  for (const stream of streams.floats) {
    checkAborted(runner.signal);
    const { norm, output } = swinMergingForward(float, geometry, eps, stream);
    norms.push(norm);
    floats.push(output);
    runner.advance();
    await breathe();
  }
  const name = `${prefix}.norm`;
  const edges: EdgeReport[] = [];
  const { settings, nonlinear, weightBits } = choices;
  const context: NormContext = { settings, nonlinear, wideRows: 0, runner, edges };
  const next = float.reduction.weight;
  const site = { name, norm: float.norm, next, stream: streams, floats: norms };
  const { choice, statistics, values } = await quantizeNorm(context, site, `${prefix}.input`);
  const unit = int16Unit(floats, prefix, settings.residualMargin);
  const outputs = 2 * geometry.dim;
  const layer = `${prefix}.reduction`;
  const reduction = decideLayer(
    { settings, weightBits, sensitivities: undefined },
    layer,
    float.reduction.bias,
    statistics.nextInput(next, new Float64Array(outputs).fill(unit), layer),
    layerMeans(context, floats, outputs),
    () => 0,
  );
  const integers: Int16Array[] = [];
  const meter = createMeter();
  await runStage(
    runner,
    {
      inputs: [{ name, shape: [rows, width] }],
      build: (builder) => void addReduction(builder, prefix, addEdge(builder, name, choice.edge), { reduction }),
      outputs: [prefix],
    },
    values.length,
    (photo) => [of(values, photo)],
    (photo, results) => {
      const stream = int16Output(results, prefix);
      integers.push(stream);
      measure(meter, floats[photo] as Float32Array, (i) => (stream[i] as number) * unit);
    },
  );
  edges.push(edgeReport(prefix, meter, unit, 'tensor'));
  return { merging: { norm: choice.edge, reduction }, edges, streams: { floats, integers, unit } };
}
