import { createCpuBackend } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { swinForward } from '@ivit/models';
import { validate } from '@ivit/program';
import { quantizeSwin } from '@ivit/quantize';
import { describe, expect, it } from 'vitest';
import { hasShared, sharedPath } from '../bench/places.js';
import { firstDifference, logitsOf } from './compare-backends.js';
import { readTinySwin } from './tiny-swin.js';

describe.skipIf(!hasShared())('the tiny Swin of the golden vectors, as a float model (2 tests)', () => {
  const read = () => readTinySwin(sharedPath('vectors/ivit/tiny_swin'));

  it('has the logits that torch gives', () => {
    const { weights, image, logits } = read();
    const float = swinForward(weights, image);
    expect(float).toHaveLength(10);
    for (const [index, value] of logits.entries())
      expect(Math.abs((float[index] as number) - value)).toBeLessThan(1e-4);
  });

  it('keeps them in integers, the same on reference and CPU', async () => {
    const { weights, image, calibration } = read();
    const photos = calibration.slice(0, 32).map((pixels, i) => ({ name: `${i}`, sha256: '', pixels }));
    const { program } = await quantizeSwin({ weights, photos, backend: createCpuBackend({ threads: 1 }) });
    const valid = validate(program);
    let signal = 0;
    let noise = 0;
    let agreeing = 0;
    // None of these was calibrated on.
    const fresh = [image, ...calibration.slice(32)];
    for (const pixels of fresh) {
      const integers = await logitsOf('reference', createReferenceBackend(), valid, pixels, 1);
      const fast = await logitsOf('cpu', createCpuBackend({ threads: 1 }), valid, pixels, 1);
      expect(firstDifference(integers.logits, fast.logits)).toBeUndefined();
      const wanted = swinForward(weights, pixels);
      const found = Array.from(integers.logits, (value) => value / 2 ** valid.outputShift);
      for (const [i, value] of wanted.entries()) {
        signal += value * value;
        noise += (value - (found[i] as number)) ** 2;
      }
      const best = (list: ArrayLike<number>): number => Array.from(list).indexOf(Math.max(...Array.from(list)));
      if (best(wanted) === best(found)) agreeing += 1;
    }
    const decibels = 10 * Math.log10(signal / noise);
    console.log(`tiny_swin: ${decibels.toFixed(1)} dB, ${agreeing} of ${fresh.length} agree`);
    expect(decibels).toBeGreaterThan(40);
    expect(agreeing).toBe(fresh.length);
  });
});
