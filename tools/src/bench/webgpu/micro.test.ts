import { describe, expect, it } from 'vitest';
import { MICRO_KERNELS, microShader } from './micro.js';

describe('microShader', () => {
  it.each(MICRO_KERNELS)('keeps eight chains of $name that depend on what they were', (kernel) => {
    const lines = microShader(kernel).split('\n');
    const steps = lines.flatMap((line) => /^ {6}(c\d) = (.*);$/.exec(line)?.slice(1) ?? []);
    expect(steps).toHaveLength(2 * 8);
    for (let at = 0; at < steps.length; at += 2) expect(steps[at + 1]).toContain(steps[at]);
    expect(lines.some((line) => line.includes('result[id.x] ='))).toBe(true);
  });

  it('asks for half precision only where it computes with it', () => {
    const asking = MICRO_KERNELS.filter((kernel) => microShader(kernel).includes('enable f16'));
    expect(asking.map(({ name }) => name)).toEqual(['fp16 fma']);
  });
});
