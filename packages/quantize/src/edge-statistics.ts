import type { FloatTensor } from '@ivit/models';
import type { EdgeChoice } from './edge.js';
import { addColumns, addProducts, createMoments } from './hessian.js';
import type { RowLinearInput } from './linear.js';
import { largestOf } from './numeric.js';
import { createMeter, edgeReport, measure } from './quality.js';
import { codeZeros, columnsOf, type RowCodes, rowSteps, rowValues } from './row-codes.js';
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
  const { edge, step, migration, rest } = choice;
  const { wideRows = 0 } = edge;
  const zeros = codeZeros(edge, width);
  const moments = createMoments(width);
  const wide = { rows: 0, sums: new Float64Array(width) };
  const columns = new Float64Array(rows * width);
  const meter = createMeter();
  return {
    add(x, floats) {
      const values = rowSteps(x, edge, width);
      if (rows > wideRows) addColumns(moments, columnsOf(values, wideRows, rows, columns), rows - wideRows);
      if (wideRows > 0) {
        const first = columnsOf(values, 0, wideRows, columns);
        for (const [i, value] of first.entries()) {
          const c = Math.floor(i / wideRows);
          wide.sums[c] = (wide.sums[c] as number) + value;
        }
        addProducts(moments, first, wideRows);
        wide.rows += wideRows;
      }
      measure(meter, floats, rowValues(values, choice));
    },
    report(name) {
      const scale = step * (migration === undefined ? 1 : largestOf(migration));
      return edgeReport(name, meter, scale, 'row', zeros.length - width);
    },
    nextInput(weight, outputUnits, where, lowest = -32768) {
      const rowFactor = largestRowFactor(lowest, 32767, edge.zeroPoint);
      const channels = edge.split?.channels;
      const input = { weight, step, migration, zeros, channels, rowFactor, moments, outputUnits, where, rest };
      return wideRows === 0 ? input : { ...input, wide };
    },
  };
}
