import { type Program, validate } from '@ivit/program';
import { describe, expect, it } from 'vitest';
import { buildRecipeVit } from './recipe-program.js';
import { GELU_TABLE_LENGTH, type RecipeEdge, type RecipeLinear, type VitRecipe } from './recipe-types.js';
import { wideShift } from './row-quantize.js';
import type { VitConfig } from './types.js';

const config: VitConfig = {
  imageSize: 8,
  patchSize: 4,
  dim: 8,
  depth: 2,
  heads: 2,
  mlpDim: 16,
  layerNormEps: 1e-6,
  classes: 3,
};

/** A layer of small weights with zero-point z. */
function linear(n: number, k: number, z: number): RecipeLinear {
  const weight = Int8Array.from({ length: n * k }, (_, i) => ((i * 37) % 255) - 127);
  const offset = Int32Array.from({ length: n }, (_, row) =>
    z === 0 ? 0 : -z * weight.subarray(row * k, (row + 1) * k).reduce((a, b) => a + b, 0),
  );
  return {
    weight,
    offset,
    scaling: { m: new Int32Array(n).fill(1000), e: 24, bias: new Int32Array(n).fill(-5), k: 10 },
  };
}

function edge(width: number, zeroPoint: number, z?: number): RecipeEdge {
  const m = new Int32Array(width).fill(1000);
  return { scaling: z === undefined ? { m, e: 20 } : { m, e: 20, z: new Int32Array(width).fill(z) }, zeroPoint };
}

const block: VitRecipe['blocks'][number] = {
  norm1: edge(8, 0, 7),
  qkv: linear(24, 8, 0),
  logits: { scaling: { m: Int32Array.of(900, 1100), e: 12 }, fractionBits: 8 },
  attention: edge(8, 16),
  proj: linear(8, 8, 16),
  residual1: { m: 3, e: 1 },
  norm2: edge(8, -32),
  fc1: linear(16, 8, -32),
  gelu: edge(1, -112),
  fc2: linear(8, 16, -112),
  residual2: { m: 1, e: 0 },
};

const recipe: VitRecipe = {
  config,
  embed: {
    weight: new Int8Array(8 * 48).fill(3),
    bias: new Int32Array(8).fill(-9),
    scaling: { m: new Int32Array(8).fill(77), e: 10 },
    position: new Int16Array(4 * 8).fill(100),
    positionRatio: { m: 5, e: 3 },
    classRow: new Int16Array(8).fill(-1234),
  },
  blocks: [block, block],
  head: { norm: edge(8, 0), linear: linear(3, 8, 0), outputShift: 12 },
};

const table = new Int16Array(GELU_TABLE_LENGTH).fill(-600);
table[GELU_TABLE_LENGTH - 1] = 0;

function opsOf(program: Program, prefix: string): string[] {
  return program.ops.filter((op) => op.result.startsWith(prefix)).map((op) => op.op);
}

describe('buildRecipeVit', () => {
  const program = buildRecipeVit(recipe, table, { labels: ['a', 'b', 'c'] });

  it('passes the overflow proof', () => {
    const { facts } = validate(program);
    expect(facts.ops).toEqual({
      lookup: 1,
      gather: 1,
      linear: 1 + 2 * 4 + 1,
      concat: 1,
      layernorm: 5,
      requantize: 1 + 2 * 9 + 2,
      rowscale: 9,
      rowquantize: 9,
      matmul: 4,
      softmax: 2,
      ramplookup: 2,
    });
    expect(program.outputShift).toBe(12);
    expect(program.values[program.output]).toEqual({ dtype: 'i32', shape: [3] });
  });

  it('writes a block in the order of the op set page', () => {
    const rows = ['rowscale', 'rowquantize', 'linear', 'requantize'];
    expect(opsOf(program, 'blocks.1.')).toEqual([
      ...['layernorm', 'requantize', ...rows],
      ...['matmul', 'requantize', 'softmax', 'matmul', 'requantize', ...rows],
      ...['layernorm', 'requantize', ...rows],
      ...['ramplookup', 'requantize', ...rows],
    ]);
    expect(opsOf(program, 'embed')).toEqual(['lookup', 'gather', 'linear', 'requantize', 'concat']);
  });

  it('gives rowscale the caps 127 - z and 128 + z', () => {
    const caps = program.ops.flatMap((op) => (op.op === 'rowscale' ? [[op.result, op.cp, op.cn]] : []));
    expect(caps.slice(0, 4)).toEqual([
      ['blocks.0.norm1.row', 127, 128],
      ['blocks.0.attention.row', 111, 144],
      ['blocks.0.norm2.row', 159, 96],
      ['blocks.0.gelu.row', 239, 16],
    ]);
  });

  it('gives a split edge its channels, its slots and a reach of its own per channel', () => {
    const split = {
      channels: Int32Array.of(0, 1, 2, 3, 4, 5, 6, 7, 2, 2, 5),
      slot: Int8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, 2, -1),
    };
    const wide = { ...block, norm1: { ...edge(8, 16), split }, qkv: linear(24, 11, 0) };
    const built = validate(buildRecipeVit({ ...recipe, blocks: [wide] }, table));
    const dataOf = (name: unknown) => [...(built.constants[String(name)]?.data ?? [])];
    const scale = built.ops.find((op) => op.result === 'blocks.0.norm1.row');
    const codes = built.ops.find((op) => op.result === 'blocks.0.norm1.codes');
    if (scale?.op !== 'rowscale' || codes?.op !== 'rowquantize') throw new Error('no rows');
    expect(scale.cp).toEqual({ constant: 'blocks.0.norm1.cp' });
    expect(dataOf('blocks.0.norm1.cp')).toEqual([111, 111, 621, 111, 111, 111, 111, 111]);
    expect(dataOf('blocks.0.norm1.cn')).toEqual([144, 144, 144, 144, 144, 399, 144, 144]);
    expect([dataOf(codes.channels), dataOf(codes.slot)]).toEqual([[...split.channels], [...split.slot]]);
    expect(built.values['blocks.0.norm1.codes']?.shape).toEqual([5, 11]);
  });

  it('leaves out the offset of a layer whose input has zero-point 0', () => {
    const withOffset = program.ops.flatMap((op) => (op.op === 'linear' && op.b !== undefined ? [op.result] : []));
    expect(withOffset).toEqual([
      'embed.sum',
      ...[0, 1].flatMap((index) => ['proj', 'fc1', 'fc2'].map((name) => `blocks.${index}.${name}.sum`)),
    ]);
  });

  it('takes wide rows of every layer as int16, and joins them with the others', () => {
    const wide = { m: new Int32Array(24).fill(900), e: 22, z: new Int32Array(24).fill(-3) };
    const scalingOf = (n: number) => ({ ...wide, m: wide.m.subarray(0, n), z: wide.z.subarray(0, n) });
    const widened = (layer: RecipeLinear): RecipeLinear => ({ ...layer, wide: scalingOf(layer.offset.length) });
    const own = {
      ...block,
      ...{ norm1: { ...block.norm1, wideRows: 1 }, qkv: widened(block.qkv) },
      ...{ attention: { ...block.attention, wideRows: 1 }, proj: widened(block.proj) },
      ...{ norm2: { ...block.norm2, wideRows: 1 }, fc1: widened(block.fc1) },
      ...{ gelu: { ...block.gelu, wideRows: 1 }, fc2: widened(block.fc2) },
    };
    const head = { ...recipe.head, norm: { ...recipe.head.norm, wideRows: 1 }, linear: widened(recipe.head.linear) };
    const built = validate(buildRecipeVit({ ...recipe, blocks: [own], head }, table));
    const shapeOf = (name: string) => built.values[name]?.shape;
    expect(['qkv.wide', 'qkv.narrow', 'qkv'].map((name) => shapeOf(`blocks.0.${name}`))).toEqual([
      [1, 24],
      [4, 24],
      [5, 24],
    ]);
    expect(shapeOf('blocks.0.gelu.codes')).toEqual([4, 16]);
    expect(shapeOf('head.wide.sum')).toEqual([1, 1, 3]);
    expect(shapeOf('logits')).toEqual([3]);
    const addends = built.ops.flatMap((op) =>
      op.op === 'requantize' && op.result.startsWith('blocks.0.residual1') ? [op.addend?.operand.view] : [],
    );
    expect(addends).toEqual([
      { offset: 0, shape: [1, 8], strides: [8, 1] },
      { offset: 8, shape: [4, 8], strides: [8, 1] },
    ]);
  });

  it('lets wide rows attend by themselves with finer queries, and adds the lower bits of a classifier', () => {
    const scalingOf = (n: number) => ({ m: new Int32Array(n).fill(900), e: 22 });
    const widened = (layer: RecipeLinear): RecipeLinear => ({ ...layer, wide: scalingOf(layer.offset.length) });
    const own = {
      ...block,
      ...{ norm1: { ...block.norm1, wideRows: 1 }, qkv: { ...widened(block.qkv), fine: scalingOf(8) } },
      logits: { ...block.logits, wide: block.logits.scaling },
      ...{ attention: { ...block.attention, wideRows: 1 }, proj: widened(block.proj) },
    };
    const low = new Int8Array(recipe.head.linear.weight.length).fill(-8);
    const linear = { ...widened(recipe.head.linear), low };
    const head = { ...recipe.head, norm: { ...recipe.head.norm, wideRows: 1 }, linear };
    const built = validate(buildRecipeVit({ ...recipe, blocks: [own], head }, table));
    const name = 'blocks.0.attention.wide';
    expect(built.values[`${name}.queries`]).toMatchObject({ dtype: 'i16', shape: [1, 8] });
    expect(built.values[`${name}.products`]?.shape[1]).toBe(1);
    const read = built.ops.flatMap((op) => (op.op === 'matmul' && 'value' in op.a ? [[op.result, op.a.value]] : []));
    expect(read).toContainEqual([`${name}.products`, `${name}.queries`]);
    expect(read).toContainEqual(['blocks.0.proj.wide.sum', name]);
    expect(built.ops.find((op) => op.result === 'head.wide.whole')).toMatchObject({
      x: { value: 'head.wide.sum' },
      ...{ m: 1, e: 0, to: 'i32', addend: { operand: { value: 'head.wide.low' }, m: 1, e: 4 } },
    });
    expect(built.constants['head.low']?.bits).toBe(4);
  });

  it('gives a block whose fc1 reaches further its own table, once', () => {
    const hidden = { fractionBits: 4, ramp: 8, table: new Int16Array(73) };
    const built = validate(
      buildRecipeVit({ ...recipe, blocks: [{ ...block, hidden }, block, { ...block, hidden }] }, table),
    );
    const ramps = built.ops.flatMap((op) => (op.op === 'ramplookup' ? [[op.table, op.u]] : []));
    expect(ramps).toEqual([
      ['gelu.table.4', 8],
      ['gelu.table', 5],
      ['gelu.table.4', 8],
    ]);
  });

  it('refuses integers that break the overflow proof', () => {
    const wide = { ...block, qkv: { ...block.qkv, scaling: { ...block.qkv.scaling, k: 40 } } };
    const big = {
      ...wide,
      qkv: { ...wide.qkv, scaling: { ...wide.qkv.scaling, bias: new Int32Array(24).fill(2 ** 30) } },
    };
    expect(() => buildRecipeVit({ ...recipe, blocks: [big] }, table)).toThrow(
      expect.objectContaining({ code: 'E_PROGRAM_OVERFLOW' }),
    );
  });
});

describe('wideShift', () => {
  it('is the least that keeps sums of int16 times int8 within int32', () => {
    expect([1, 192, 511, 512, 768, 1024, 3072].map(wideShift)).toEqual([0, 0, 0, 1, 1, 2, 3]);
    for (const columns of [192, 511, 512, 1023, 1024, 4096]) {
      const reach = columns * 2 ** (15 - wideShift(columns)) * 128;
      expect(reach).toBeLessThan(2 ** 31);
      if (wideShift(columns) > 0) expect(2 * reach).toBeGreaterThanOrEqual(2 ** 31);
    }
  });
});
