import type { FloatTensor } from '@ivit/models';
import type { EdgeChoice } from './edge.js';
import { createMoments } from './hessian.js';
import type { RowLinearInput } from './linear.js';
import { largestOf } from './numeric.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { addRows, channelSteps, codeZeros, type RowCodes, rowValues } from './row-codes.js';
import { largestRowFactor } from './scaling.js';
import type { EdgeReport } from './types.js';

/** A row-quantized edge over the photos: second moments for the next weights, figures for the report. */
export interface EdgeStatistics {
  /** Adds one photo's codes and the float values they stand for. */
  add(x: RowCodes, floats: Float32Array): void;
  report(name: string): EdgeReport;
  /**
   * What the next linear layer needs to know.
   *
   * @param outputUnits real value of one output unit per output channel.
   * @param lowest least int16 value the edge can have, where the overflow proof knows more than int16.
   */
  nextInput(weight: FloatTensor, outputUnits: Float64Array, where: string, lowest?: number): RowLinearInput;
}

/**
 * @param rows rows of one photo.
 */
export function createEdgeStatistics(choice: EdgeChoice, rows: number, width: number): EdgeStatistics {
  const { edge, step, migration } = choice;
  const zeros = codeZeros(edge, width);
  const moments = createMoments(width);
  const columns = new Float64Array(rows * width);
  const meter = createMeter();
  return {
    add(x, floats) {
      const steps = channelSteps(x, edge, width);
      addRows(moments, x, steps, columns);
      measure(meter, floats, rowValues(x, steps, choice));
    },
    report(name) {
      const scale = step * (migration === undefined ? 1 : largestOf(migration));
      return edgeReport(name, meter, scale, 'row', zeros.length - width);
    },
    nextInput(weight, outputUnits, where, lowest = -32768) {
      const rowFactor = largestRowFactor(lowest, 32767, edge.zeroPoint);
      const channels = edge.split?.channels;
      return { weight, step, migration, zeros, channels, rowFactor, moments, outputUnits, where, rest: choice.rest };
    },
  };
}
