import { describe, expect, test } from 'vitest';
import type { Estimate, Metrics } from '../accuracy/metrics.js';
import { plotOf } from './plot.js';
import { type ModelReport, pageOf } from './report.js';
import { STEPS } from './steps.js';
import { readStoredZip } from './stored-zip.js';

const estimate = (value: number, error: number): Estimate => ({ value, error });

function metricsOf(decibels: number): Metrics {
  const share = estimate(0.75, 0.02);
  return {
    images: 100,
    floatTop1: share,
    intTop1: share,
    floatTop5: share,
    intTop5: share,
    agreement: estimate(0.991, 0.004),
    sqnr: estimate(decibels, 0.25),
  };
}

const model: ModelReport = {
  model: 'some_model',
  about: '100 photos',
  rows: [7.5, 26.75].map((decibels, index) => ({
    step: `step-${index}`,
    title: `step <${index}>`,
    recipe: index === 0 ? 'paper@1' : 'ptq@1',
    model: 'some_model',
    id: '00',
    bytes: 1234567,
    quantizeSeconds: 81.6,
    metrics: metricsOf(decibels),
    time: { minMilliseconds: 48.5, medianMilliseconds: 60.25, overBase: 1.0421 },
  })),
};

describe('STEPS', () => {
  test('go from the paper to the best recipe, each under a name of its own, one part at a time', () => {
    expect(STEPS[0]?.recipe).toBe('paper@1');
    expect(new Set(STEPS.map((step) => step.id)).size).toBe(STEPS.length);
    const sizes = STEPS.slice(3, -4).map((step) => Object.keys(step.changes ?? {}).length);
    expect(sizes).toEqual(sizes.map((_, index) => sizes.length - 1 - index));
    expect(STEPS.filter((step) => step.recipe === 'ptq@1' && step.changes === undefined)).toHaveLength(1);
  });
});

describe('the report', () => {
  test('holds the figures with their errors', () => {
    const page = pageOf({ date: '2000-01-01', machine: 'a machine', models: [model] });
    expect(page).toContain(
      '| step <1> | 75.0 ± 2.0 | 99.1 ± 0.4 | 26.75 ± 0.25 | 1234567 | 48.50 / 60.25 | 1.042 | 82 |',
    );
  });

  test('plots a point per step, further right for more decibels', () => {
    const svg = plotOf([model]);
    const points = [...svg.matchAll(/<circle cx="([\d.]+)" cy="([\d.]+)"[^>]*><title>/g)].map((match) =>
      Number(match[1]),
    );
    expect(points).toHaveLength(2);
    expect(points[1]).toBeGreaterThan(points[0] ?? 0);
    expect(svg).toContain('step &lt;1>');
  });
});

describe('readStoredZip', () => {
  function zipOf(files: readonly (readonly [string, string])[], method = 0): Uint8Array {
    const encoder = new TextEncoder();
    const parts: Uint8Array[] = [];
    const directory: Uint8Array[] = [];
    let at = 0;
    for (const [name, text] of files) {
      const [nameBytes, data] = [encoder.encode(name), encoder.encode(text)];
      const local = new DataView(new ArrayBuffer(30));
      local.setUint32(0, 0x04034b50, true);
      local.setUint16(26, nameBytes.length, true);
      const entry = new DataView(new ArrayBuffer(46));
      entry.setUint32(0, 0x02014b50, true);
      entry.setUint16(10, method, true);
      entry.setUint32(20, data.length, true);
      entry.setUint16(28, nameBytes.length, true);
      entry.setUint32(42, at, true);
      parts.push(new Uint8Array(local.buffer), nameBytes, data);
      directory.push(new Uint8Array(entry.buffer), nameBytes);
      at += 30 + nameBytes.length + data.length;
    }
    const end = new DataView(new ArrayBuffer(22));
    end.setUint32(0, 0x06054b50, true);
    end.setUint16(10, files.length, true);
    end.setUint32(16, at, true);
    return Buffer.concat([...parts, ...directory, new Uint8Array(end.buffer)]);
  }

  test('finds every file', () => {
    const entries = readStoredZip(
      zipOf([
        ['a/b.txt', 'first'],
        ['c', ''],
      ]),
    );
    expect([...entries].map(([name, data]) => [name, new TextDecoder().decode(data)])).toEqual([
      ['a/b.txt', 'first'],
      ['c', ''],
    ]);
  });

  test('refuses what it cannot read', () => {
    expect(() => readStoredZip(new Uint8Array(10))).toThrow('no end record');
    expect(() => readStoredZip(zipOf([['a', 'x']], 8))).toThrow('a is compressed');
    const cut = zipOf([['a', 'xyz']]);
    new DataView(cut.buffer, cut.byteOffset).setUint32(34 + 20, 1 << 20, true);
    expect(() => readStoredZip(cut)).toThrow('outside the archive');
  });
});
