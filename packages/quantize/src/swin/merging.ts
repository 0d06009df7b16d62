import {
  addEdge,
  addMergingNorm,
  addReduction,
  type SwinMergingStep,
  type SwinMergingWeights,
  type SwinRecipeMerging,
  swinMergingForward,
  swinMergingPrefix,
} from '@ivit/models';
import { int16Unit, of, type Streams } from '../block-context.js';
import { chooseNormEdge } from '../edge.js';
import { createEdgeStatistics } from '../edge-statistics.js';
import { channelMeans, correctedLinear } from '../linear.js';
import { createMeter, edgeReport, measure } from '../quality.js';
import { rowCodesOf } from '../row-codes.js';
import { PTQ_RECIPES } from '../settings.js';
import { breathe, checkAborted, int16Output, runStage, type StageRunner } from '../stage.js';
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
  runner: StageRunner,
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
  const input = { name: `${prefix}.input`, shape: [rows, width] };
  const choice = chooseNormEdge(float.norm, float.reduction.weight, norms, {
    settings: PTQ_RECIPES['ptq@1'],
    slots: 0,
    wideRows: 0,
    where: name,
  });
  const statistics = createEdgeStatistics(choice, rows, width);
  const values: Int16Array[] = [];
  await runStage(
    runner,
    {
      inputs: [input],
      build: (builder) => void addMergingNorm(builder, prefix, input.name, choice.edge),
      outputs: [name, `${name}.row`, `${name}.codes`],
    },
    streams.integers.length,
    (photo) => [of(streams.integers, photo)],
    (photo, outputs) => {
      values.push(int16Output(outputs, name));
      statistics.add(rowCodesOf(outputs, name, rows, choice.edge), norms[photo] as Float32Array);
    },
  );
  const unit = int16Unit(floats, prefix);
  const outputs = 2 * geometry.dim;
  const reduction = correctedLinear(
    statistics.nextInput(float.reduction.weight, new Float64Array(outputs).fill(unit), `${prefix}.reduction`),
    { narrow: channelMeans(floats, outputs) },
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
  const edges = [statistics.report(name), edgeReport(prefix, meter, unit, 'tensor')];
  return { merging: { norm: choice.edge, reduction }, edges, streams: { floats, integers, unit } };
}
