import { addNorm, type FloatNorm, type FloatTensor } from '@ivit/models';
import { type BlockContext, type EdgeResult, edgeOptions, of, type Streams } from './block-context.js';
import { chooseNormEdge, type EdgeChoice } from './edge.js';
import { createEdgeStatistics } from './edge-statistics.js';
import { chooseFactors } from './factors.js';
import { rowCodesOf, rowOutputs } from './row-codes.js';
import { int16Output, runStage } from './stage.js';

export type NormContext = Pick<BlockContext, 'settings' | 'nonlinear' | 'wideRows' | 'runner' | 'edges'>;

/** A norm of the residual stream in front of a linear layer. */
export interface NormSite {
  /** Of the normalized value in the program. */
  readonly name: string;
  readonly norm: FloatNorm;
  /** Weights of the layer behind it. */
  readonly next: FloatTensor;
  /** What it normalizes, per photo `[rows,width]`, and the unit of the integers that stand for it. */
  readonly stream: Pick<Streams, 'floats' | 'unit'>;
  /** What comes out, per photo `[rows,width]`. */
  readonly floats: readonly Float32Array[];
}

/** The norm's edge: row-quantized, its input in 8 bits where that is chosen. */
export function chooseStreamNorm(context: NormContext, { name, norm, next, stream, floats }: NormSite): EdgeChoice {
  const { settings, nonlinear } = context;
  const width = norm.weight.data.length;
  const factors = nonlinear.norm === 'ptf' ? chooseFactors(stream.floats, width, stream.unit) : undefined;
  return chooseNormEdge(norm, next, floats, edgeOptions(context, settings.slots.norm, name), factors);
}

/** A stage by itself: residual stream → norm, row-quantized. The stream is called `input` within it. */
export async function quantizeNorm(
  context: NormContext,
  site: NormSite & { readonly stream: Streams },
  input: string,
): Promise<EdgeResult> {
  const { name, norm, stream, floats } = site;
  const width = norm.weight.data.length;
  const rows = (floats[0]?.length ?? 0) / width;
  const choice = chooseStreamNorm(context, site);
  const statistics = createEdgeStatistics(choice, rows, width);
  const values: Int16Array[] = [];
  await runStage(
    context.runner,
    {
      inputs: [{ name: input, shape: [rows, width] }],
      build: (builder) => void addNorm(builder, name, input, choice.edge),
      outputs: rowOutputs(name, rows, choice.edge, true),
    },
    stream.integers.length,
    (photo) => [of(stream.integers, photo)],
    (photo, outputs) => {
      values.push(int16Output(outputs, name));
      statistics.add(rowCodesOf(outputs, name, rows, choice.edge), floats[photo] as Float32Array);
    },
  );
  context.edges.push(statistics.report(name));
  return { choice, statistics, values };
}
