import { createReferenceBackend } from '@ivit/backend-reference';
import { describe, expect, it } from 'vitest';
import { createRandom } from './calibration.js';
import { int16Output, outputOf, packInt16, runStage, type StageRunner } from './stage.js';

function runner(signal?: AbortSignal): StageRunner & { count: number } {
  return {
    backend: createReferenceBackend(),
    signal,
    count: 0,
    advance() {
      this.count += 1;
    },
  };
}

describe('runStage', () => {
  it('hands int16 tensors through bytes exactly', async () => {
    const random = createRandom(4);
    const first = Int16Array.from({ length: 6 }, () => (random() % 65536) - 32768);
    const second = Int16Array.of(-32768, 32767, 0, -1, 1, 255, 256, -256, -255, -257, 257, 128);
    const seen: Int16Array[][] = [];
    const own = runner();
    await runStage(
      own,
      {
        inputs: [
          { name: 'a', shape: [2, 3] },
          { name: 'b', shape: [3, 2, 2] },
        ],
        build: () => undefined,
        outputs: ['a', 'b'],
      },
      2,
      (photo) => (photo === 0 ? [first, second] : [first.map((v) => -v - 1), second]),
      (_, outputs) => void seen.push([int16Output(outputs, 'a'), int16Output(outputs, 'b')]),
    );
    expect(seen).toEqual([
      [first, second],
      [first.map((v) => -v - 1), second],
    ]);
    expect(own.count).toBe(2);
  });

  it('stops between photos when aborted', async () => {
    const controller = new AbortController();
    let photos = 0;
    const run = runStage(
      runner(controller.signal),
      { inputs: [{ name: 'a', shape: [1] }], build: () => undefined, outputs: ['a'] },
      5,
      () => [Int16Array.of(1)],
      () => {
        photos += 1;
        if (photos === 2) controller.abort();
      },
    );
    await expect(run).rejects.toMatchObject({ code: 'E_ABORTED' });
    expect(photos).toBe(2);
  });
});

describe('packInt16', () => {
  it('stores entry + 32768, low byte first', () => {
    expect([...packInt16([Int16Array.of(-32768, 32767), Int16Array.of(0)])]).toEqual([0, 0, 255, 255, 0, 128]);
  });
});

describe('outputs', () => {
  it('are refused when the backend left them out or changed their type', () => {
    const data = new Int8Array(1);
    const outputs = { a: { dtype: 'i8', shape: [1, 1], data } } as const;
    expect(() => int16Output(outputs, 'a')).toThrow(expect.objectContaining({ code: 'E_BACKEND' }));
    expect(() => outputOf(outputs, 'b')).toThrow(expect.objectContaining({ code: 'E_BACKEND' }));
  });
});
