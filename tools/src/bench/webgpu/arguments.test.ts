import { describe, expect, it } from 'vitest';
import { readWebgpuArguments } from './arguments.js';

describe('readWebgpuArguments', () => {
  it('measures batch 1 and 16 on a GPU when nothing else is asked', () => {
    const { adapter, batches, json, model } = readWebgpuArguments(['--webgpu']);
    expect({ adapter, batches, json, model }).toEqual({
      adapter: 'hardware',
      batches: [1, 16],
      json: false,
      model: undefined,
    });
  });

  it('takes a software adapter, other batches and no instructions', () => {
    const given = readWebgpuArguments(['--webgpu', '--adapter', 'software', '--batches', '1,4', '--micro-runs', '0']);
    expect(given).toMatchObject({ adapter: 'software', batches: [1, 4], microRuns: 0 });
  });

  it.each([
    ['--adapter', 'gpu', 'software or hardware'],
    ['--batches', '1,0', "--batches: '0' is no integer from 1"],
    ['--rounds', 'x', "--rounds: 'x' is no integer from 1"],
  ])('refuses %s %s', (name, value, message) => {
    expect(() => readWebgpuArguments(['--webgpu', name, value])).toThrow(
      expect.objectContaining({ code: 'E_USAGE', message: expect.stringContaining(message) }),
    );
  });
});
