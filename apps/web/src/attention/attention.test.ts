import { readFile } from 'node:fs/promises';
import { createProgramBuilder, type Program, validate } from '@ivit/program';
import { defaultBackends, loadModel } from 'ivit';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClassAttention, findAttention } from './find-attention.js';
import { patchMap, ROLLOUT_UNIT, rollout } from './rollout.js';

/** A program of one attention over four patches and, perhaps, a class token; read as `readout` says. */
function attentive(readout: 'class' | 'mean' | 'second', prefix = 1, windows = false): Program {
  const tokens = 4 + prefix;
  const b = createProgramBuilder('pixels', [2, 2, 3]);
  const table = Int8Array.from({ length: 256 }, (_, value) => value - 128);
  b.constant('table', 'i8', [256], table);
  b.add({ op: 'lookup', result: 'patches', x: b.reshape('pixels', [4, 3]), table: 'table' });
  if (prefix > 0) {
    b.constant('class', 'i8', [prefix, 3], new Array(3 * prefix).fill(3));
    b.add({ op: 'concat', result: 'stream', operands: [{ constant: 'class' }, { value: 'patches' }] });
  }
  const stream = prefix > 0 ? 'stream' : 'patches';
  const lead = windows ? [1, 1] : [1];
  const zeros = windows ? [0, 0] : [0];
  const a = { value: stream, view: { offset: 0, shape: [...lead, tokens, 3], strides: [...zeros, 3, 1] } };
  const t = { value: stream, view: { offset: 0, shape: [...lead, 3, tokens], strides: [...zeros, 1, 3] } };
  b.add({ op: 'matmul', result: 'products', a, b: t });
  b.add({
    op: 'requantize',
    result: 'logits.a',
    x: { value: 'products' },
    m: 1,
    e: 3,
    z: 0,
    axis: 0,
    run: 0,
    to: 'i16',
  });
  b.add({ op: 'softmax', result: 'anything', x: { value: 'logits.a' }, exponential: { pow2: 6 }, bits: 16 });
  b.add({ op: 'matmul', result: 'mixed', a: { value: 'anything' }, b: a });
  b.add({
    op: 'requantize',
    result: 'out',
    x: b.reshape('mixed', [tokens, 3]),
    m: 1,
    e: 15,
    z: 0,
    axis: 0,
    run: 0,
    to: 'i8',
  });
  b.constant('w', 'i8', [2, 3], [1, 2, 3, 4, 5, 6]);
  if (readout === 'mean') b.add({ op: 'mean', result: 'pooled', x: { value: 'out' }, axis: 0 });
  const offset = readout === 'second' ? 3 : 0;
  const row = { value: 'out', view: { offset, shape: [3], strides: [1] } };
  b.add({ op: 'linear', result: 'logits', x: readout === 'mean' ? { value: 'pooled' } : row, w: 'w' });
  return b.build({ output: 'logits' });
}

describe('findAttention', () => {
  it('finds the layers of a program whose classifier reads the class token', () => {
    const program = attentive('class');
    validate(program);
    expect(findAttention(program)).toEqual({
      found: { layers: [{ value: 'anything', log2: false }], heads: 1, tokens: 5, prefix: 1, side: 2 },
    });
    expect(findAttention(attentive('class', 5))).toMatchObject({ found: { prefix: 5, side: 2, tokens: 9 } });
  });

  it('says why there is none', () => {
    const reason = (program: Program): string => {
      const result = findAttention(program);
      return 'missing' in result ? result.missing : 'found';
    };
    expect(reason(attentive('mean'))).toMatch(/no class token/);
    expect(reason(attentive('second'))).toMatch(/no class token/);
    expect(reason(attentive('class', 0))).toMatch(/no class token/);
    expect(reason(attentive('class', 1, true))).toMatch(/within windows/);
    const none = attentive('class');
    expect(reason({ ...none, ops: none.ops.filter(({ op }) => op !== 'softmax') })).toMatch(/no attention/);
    // One more patch: five are no square.
    const values = { ...none.values, anything: { dtype: 'i16', shape: [1, 6, 6] } as const };
    const stream = { ...none.values['stream'], dtype: 'i8', shape: [6, 3] } as const;
    const out = { dtype: 'i8', shape: [6, 3] } as const;
    expect(reason({ ...none, values: { ...values, stream, out } })).toMatch(/no square/);
  });
});

/** The same in fractions. */
function realRollout({ heads, tokens, layers }: ClassAttention, data: readonly ArrayLike<number>[]): number[] {
  let row = Array.from({ length: tokens }, (_, token): number => (token === 0 ? 1 : 0));
  for (let layer = layers.length - 1; layer >= 0; layer -= 1) {
    const next = new Array<number>(tokens).fill(0);
    for (let i = 0; i < tokens; i += 1) {
      const entry = (h: number, j: number): number => data[layer]?.[(h * tokens + i) * tokens + j] ?? 0;
      let total = 0;
      for (let h = 0; h < heads; h += 1) for (let j = 0; j < tokens; j += 1) total += entry(h, j);
      for (let j = 0; j < tokens; j += 1) {
        let mean = 0;
        for (let h = 0; h < heads; h += 1) mean += entry(h, j);
        next[j] = (next[j] ?? 0) + ((row[i] ?? 0) * (mean / total + (i === j ? 1 : 0))) / 2;
      }
    }
    row = next;
  }
  return row;
}

describe('rollout', () => {
  const shape = (layers: number, heads: number, tokens: number): ClassAttention => ({
    layers: Array.from({ length: layers }, (_, index) => ({ value: `layer ${index}`, log2: false })),
    ...{ heads, tokens, prefix: 1, side: Math.floor(Math.sqrt(tokens - 1)) },
  });

  it('is the definition, rounded down', () => {
    let state = 5;
    const random = (): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state >>> 17;
    };
    const attention = shape(12, 3, 17);
    const data = attention.layers.map(() => Int16Array.from({ length: 3 * 17 * 17 }, random));
    const rolled = rollout(attention, data);
    const real = realRollout(attention, data);
    for (const [token, value] of rolled.entries()) {
      const wanted = (real[token] ?? 0) * ROLLOUT_UNIT;
      expect(value).toBeLessThanOrEqual(wanted + 1);
      // Each layer loses at most 17 weight units and one step of the row.
      expect(value).toBeGreaterThan(wanted - 12 * (17 * 512 + 1));
    }
    expect(rolled.reduce((sum, value) => sum + value, 0)).toBeLessThanOrEqual(ROLLOUT_UNIT);
  });

  it('leaves all with the class token where it looks at itself alone', () => {
    const identity = new Int16Array(25);
    for (let token = 0; token < 5; token += 1) identity[token * 6] = 32767;
    expect([...rollout(shape(3, 1, 5), [identity, identity, identity])]).toEqual([ROLLOUT_UNIT, 0, 0, 0, 0]);
  });

  it('reads codes of powers of two', () => {
    const codes = Uint8Array.from({ length: 25 }, (_, index) => (index % 5 === 2 ? 1 : 3));
    const attention = { ...shape(1, 1, 5), layers: [{ value: 'codes', log2: true }] };
    // Weights 2^12 and 2^14: shares of 1/8 and 1/2.
    const eighth = ROLLOUT_UNIT / 16;
    expect([...rollout(attention, [codes])]).toEqual([ROLLOUT_UNIT / 2 + eighth, eighth, 4 * eighth, eighth, eighth]);
    expect([...patchMap(attention, rollout(attention, [codes]))]).toEqual([63, 255, 63, 63]);
  });
});

describe('the built-in model', () => {
  let found: ClassAttention | undefined;
  let maps: Map<string, Uint8ClampedArray>;
  beforeAll(async () => {
    maps = new Map();
    const photo = await readFile(new URL(import.meta.resolve('ivit/photos/kingfisher.jpg')));
    // WebGPU needs a device; `pnpm web:check` compares its receipts.
    const backends = (await defaultBackends({ threads: 1 })).filter(({ name }) => name !== 'webgpu');
    for (const backend of backends) {
      const model = await loadModel('builtin', { backends: [backend] });
      const attention = findAttention(model.program);
      found = 'found' in attention ? attention.found : undefined;
      if (found === undefined) throw new Error('no attention');
      const outputs = found.layers.map(({ value }) => value);
      const [plain] = await model.run([photo]);
      const [result] = await model.run([photo], { outputs });
      // Looking at a value changes no bit of the answer.
      expect(result?.receipt).toEqual(plain?.receipt);
      const data = outputs.map((name) => result?.outputs[name]?.data ?? []);
      maps.set(backend.name, patchMap(found, rollout(found, data)));
      await model.dispose();
    }
  });

  it('has four layers, and one map on every backend', () => {
    expect(found).toMatchObject({ prefix: 1, side: 8, tokens: 65 });
    expect(found?.layers).toHaveLength(4);
    expect(maps.get('cpu')).toHaveLength(64);
    expect(Math.max(...(maps.get('cpu') ?? []))).toBe(255);
    expect(maps.get('cpu')).toEqual(maps.get('reference'));
  });
});
