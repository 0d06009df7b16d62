import {
  addRowQuantize,
  addShiftMask,
  addSoftmaxTable,
  addWindowAttention,
  type FloatTensor,
  type SwinBlockGeometry,
  type SwinBlockStep,
  type SwinRecipeBlock,
  shiftMask,
  spreadBias,
  swinBlockPrefix,
} from '@ivit/models';
import type { AttentionSite } from '../attention-stage.js';
import { roundHalfEven } from '../numeric.js';
import { logitUnits } from '../softmax-choice.js';

/** What Swin's code adds to a masked pair's logit. */
const MASK = -100;

/** What a window's logits get besides. */
export type WindowParts = Pick<SwinRecipeBlock, 'positionBias' | 'maskUnits'>;

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

/** Attention within windows, shifted or not: position bias and mask are in the logits' unit. */
export function windowSite(step: SwinBlockStep, biasTable: FloatTensor): AttentionSite<WindowParts> {
  const { geometry } = step;
  const prefix = swinBlockPrefix(step);
  return {
    keys: geometry.window * geometry.window,
    mask: MASK,
    logitsOf: (logits) => unmasked(logits, geometry),
    decide(logits) {
      const units = logitUnits(logits);
      return { positionBias: quantizeBias(biasTable, geometry, units), maskUnits: roundHalfEven(MASK * units) };
    },
    build(builder, x, parts) {
      const mask = geometry.shift === 0 ? undefined : addShiftMask(builder, step.stage, geometry);
      const table = addSoftmaxTable(builder, parts.logits);
      const attention = addWindowAttention(builder, geometry, prefix, x, parts, mask, table);
      const rows = builder.reshape(attention, [geometry.side * geometry.side, geometry.dim]);
      addRowQuantize(builder, attention, rows, parts.attention);
    },
  };
}
