import { describe, expect, it } from 'vitest';
import { floatIn } from '../testing/integer-text.js';
import { type AttentionForm, attentionShader, memoryBytes } from './attention/attention.wgsl.js';
import { type LinearForm, linearShader } from './products/linear.wgsl.js';
import { rowsOfGroup } from './products/match-before.js';
import { isNorm, type PrologueKind } from './products/prologue.wgsl.js';
import type { StageForm } from './products/stages.js';

const ADDED: StageForm = { kind: 'requantize', grouped: false, row: true, addend: true, narrow: true };
const GROUPED: StageForm = { kind: 'requantize', grouped: true, row: false, addend: false, narrow: false };

const linear = (prologue: PrologueKind, depth: number, stages: readonly StageForm[], packed = true): LinearForm => ({
  packed,
  prologue: { kind: prologue, codes: prologue === 'codes' && stages.includes(ADDED), narrow: packed },
  rows: rowsOfGroup(prologue, depth) ?? 4,
  words: isNorm(prologue) ? depth >> 2 : 0,
  stages,
  result: stages.length === 0 ? 'i32' : 'i16',
});

const attention = (tokens: number, depth: number, rows: 4 | 8): AttentionForm => ({
  packed: true,
  rows,
  quads: (tokens + 3) >> 2,
  depthWords: depth >> 2,
  exponential: 'pow2',
  bits: 16,
  logits: [{ addend: false, narrow: true }],
  out: { addend: false, narrow: true },
  result: 'i16',
});

const texts: Readonly<Record<string, string>> = {
  'linear codes': linearShader(linear('codes', 64, [])),
  'linear codes plain': linearShader(linear('codes', 64, [ADDED], false)),
  'linear quantize': linearShader(linear('quantize', 768, [ADDED])),
  'linear gelu': linearShader(linear('gelu', 768, [GROUPED])),
  'linear norm': linearShader(linear('norm', 192, [GROUPED, { kind: 'lookup' }])),
  'linear norm-quantize': linearShader(linear('norm-quantize', 192, [ADDED, { kind: 'ramplookup' }, GROUPED])),
  'linear norm-quantize of long rows': linearShader(linear('norm-quantize', 1536, [ADDED])),
  'linear slots': linearShader(linear('slots', 800, [ADDED])),
  'linear slots, wide rows': linearShader({
    ...linear('slots', 800, [ADDED]),
    both: { wide: [GROUPED], joined: [], apart: true },
  }),
  'linear norm-quantize, wide rows': linearShader({
    ...linear('norm-quantize', 192, [ADDED]),
    both: { wide: [GROUPED], joined: [{ kind: 'ramplookup' }, GROUPED], apart: false },
  }),
  'linear norm-quantize, wide rows, some of them for somebody else': linearShader({
    ...linear('norm-quantize', 192, [ADDED]),
    both: { wide: [GROUPED], joined: [], aside: GROUPED, apart: false },
  }),
  'attention of DeiT-Tiny': attentionShader(attention(197, 64, 8)),
  'attention of 384 px': attentionShader(attention(577, 64, 8)),
  'attention to 8 bits, two logit stages': attentionShader({
    ...attention(49, 32, 8),
    exponential: 'table',
    bits: 8,
    logits: [
      { addend: false, narrow: false },
      { addend: true, narrow: false },
    ],
    result: 'i8',
  }),
};

/** Bytes of a shader's workgroup variables, all of 32-bit words or pairs of them. */
function workgroupBytes(code: string): number {
  let bytes = 0;
  for (const [, type = '', count = '0'] of code.matchAll(/var<workgroup> \w+: array<(.+), (\d+)>;/g)) {
    bytes += Number(count) * (type.startsWith('vec2') ? 8 : 4);
  }
  return bytes;
}

describe('shaders of fused ops', () => {
  it.each(Object.entries(texts))('%s: holds no floating point and stays in default limits', (_, code) => {
    expect(floatIn(code)).toBeUndefined();
    expect(code.match(/@compute @workgroup_size\(64\)\nfn main\(/g)).toHaveLength(1);
    expect(code.match(/var<storage/g)).toHaveLength(2);
    expect(code.match(/var<workgroup>/g)?.length).toBe(code.match(/var<workgroup> \w+: array</g)?.length);
    expect(workgroupBytes(code)).toBeGreaterThan(0);
    expect(workgroupBytes(code)).toBeLessThanOrEqual(16384);
  });

  it.each(['linear quantize', 'linear slots, wide rows', 'attention of DeiT-Tiny'])(
    '%s: is the reviewed text',
    (name) => {
      expect(texts[name]).toMatchSnapshot();
    },
  );

  it('knows how much memory attention takes', () => {
    for (const form of [attention(197, 64, 8), attention(577, 64, 8), attention(1025, 64, 4)]) {
      expect(memoryBytes(form)).toBeGreaterThanOrEqual(workgroupBytes(attentionShader(form)));
    }
  });

  it('takes four rows where eight are too long, and none where four are', () => {
    expect([192, 768, 896, 897, 1792, 1793].map((depth) => rowsOfGroup('norm', depth))).toEqual([
      8,
      8,
      8,
      4,
      4,
      undefined,
    ]);
    expect(rowsOfGroup('quantize', 100_000)).toBe(8);
  });

  it('has four products where the language has no packed one', () => {
    expect(texts['linear codes']).toContain('dot4I8Packed');
    expect(texts['linear codes plain']).not.toContain('dot4I8Packed');
  });
});
