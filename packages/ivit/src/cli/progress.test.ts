import { describe, expect, it } from 'vitest';
import { createProgressLine } from './progress.js';

function record(terminal: boolean, quiet = false): { line: ReturnType<typeof createProgressLine>; written: string[] } {
  const written: string[] = [];
  return { line: createProgressLine({ terminal, err: (text) => written.push(text) }, quiet), written };
}

describe('createProgressLine', () => {
  it('redraws one line on a terminal and removes it', () => {
    const { line, written } = record(true);
    line.update('block 1/2', 1, 4);
    line.update('block 1/2', 4, 4);
    line.clear();
    line.clear();
    expect(written).toEqual([
      '\r\x1b[K[######------------------]  25 % block 1/2',
      '\r\x1b[K[########################] 100 % block 1/2',
      '\r\x1b[K',
    ]);
  });

  it('does not flood a terminal', () => {
    const { line, written } = record(true);
    for (let done = 0; done < 10_000; done++) line.update('download', done, 20_000);
    expect(written.length).toBeLessThan(1000);
  });

  it('prints plain lines elsewhere: each new label, not each step', () => {
    const { line, written } = record(false);
    for (let done = 0; done < 100; done++) line.update('calibration photos', done, 200);
    line.update('self-check');
    line.clear();
    expect(written).toEqual(['calibration photos: 0 %\n', 'self-check\n']);
  });

  it('says nothing when told so', () => {
    const { line, written } = record(true, true);
    line.update('block', 1, 2);
    line.clear();
    expect(written).toEqual([]);
  });
});
