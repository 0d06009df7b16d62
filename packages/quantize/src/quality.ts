import { decibels } from './numeric.js';
import type { EdgeReport } from './types.js';

/** Range of a float tensor and the noise of its quantized twin, over all photos. */
export interface QualityMeter {
  min: number;
  max: number;
  signal: number;
  noise: number;
}

export function createMeter(): QualityMeter {
  return { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, signal: 0, noise: 0 };
}

/** @param valueAt real value that integer i stands for. */
export function measure(meter: QualityMeter, floats: Float32Array, valueAt: (i: number) => number): void {
  let { min, max } = meter;
  let signal = 0;
  let noise = 0;
  for (let i = 0; i < floats.length; i += 1) {
    const float = floats[i] as number;
    if (float < min) min = float;
    if (float > max) max = float;
    const difference = valueAt(i) - float;
    signal += float * float;
    noise += difference * difference;
  }
  meter.min = min;
  meter.max = max;
  meter.signal += signal;
  meter.noise += noise;
}

export function edgeReport(
  name: string,
  meter: QualityMeter,
  scale: number,
  granularity: EdgeReport['granularity'],
  slots = 0,
): EdgeReport {
  const sqnr = decibels(meter.signal, meter.noise);
  return {
    name,
    min: meter.min,
    max: meter.max,
    scale,
    granularity,
    slots,
    ...(sqnr === undefined ? {} : { sqnr }),
  };
}
