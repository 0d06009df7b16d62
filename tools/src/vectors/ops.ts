import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Dyadic, normalizeDyadic, requantizeOne, requantizeSum, saturate } from '@ivit/dyadic';
import { dyadicFromRatio } from '@ivit/dyadic/convert';
import { layerNormRows, shiftGeluRows, softmaxRows } from '@ivit/nonlinear';
import { layerNormIntegers, quantizeF32, shiftGeluX0, softmaxX0, symmetricScale } from '@ivit/nonlinear/convert';
import { gemmPacked, packMatrix } from '@ivit/tensor';
import { readTensors } from './read-folder.js';
import type { Tally } from './tally.js';
import type { Tensors } from './tensors.js';

/** One case of an op's vector file. */
interface Case {
  readonly id: string;
  readonly attrs: Readonly<Record<string, number>>;
  has(name: string): boolean;
  numbers(name: string): ArrayLike<number>;
  scalar(name: string): number;
  shape(name: string): readonly number[];
}

type Check = (test: Case, tally: Tally) => void;

const attribute = (test: Case, name: string): number => test.attrs[name] as number;
const last = (shape: readonly number[]): number => shape[shape.length - 1] as number;
const at = (values: ArrayLike<number>, index: number): number =>
  values[values.length === 1 ? 0 : index % values.length] as number;

function frexp(test: Case, tally: Tally): void {
  const pairs = Array.from(test.numbers('ratio'), (ratio) => dyadicFromRatio(ratio));
  tally.same(test.id, [...pairs.map(({ m }) => m), ...pairs.map(({ e }) => e)], test.numbers('y'));
}

/** (m, e) from the scales, compared with the stored ones, then normalized. */
function factors(test: Case, tally: Tally, scale: string, m: string, e: string): Dyadic[] {
  const out = test.scalar('out_scale');
  const found = Array.from(test.numbers(scale), (pre) => dyadicFromRatio(pre / out));
  tally.same(`${test.id} ${m}`, Array.from(found, (one) => one.m), test.numbers(m)); // biome-ignore format: one comparison a line
  tally.same(`${test.id} ${e}`, Array.from(found, (one) => one.e), test.numbers(e)); // biome-ignore format: one comparison a line
  return found.map((one) => normalizeDyadic(one.m, one.e));
}

function quantact(test: Case, tally: Tally): void {
  const bits = attribute(test, 'bits');
  const range = symmetricScale(attribute(test, 'min_val'), attribute(test, 'max_val'), bits);
  tally.same(`${test.id} out_scale`, [range], [test.scalar('out_scale')]);
  const scales = factors(test, tally, 'pre_scale', 'm', 'e');
  const identity = test.has('identity') ? test.numbers('identity') : undefined;
  const [other] = identity === undefined ? [] : factors(test, tally, 'identity_scale', 'm1', 'e1');
  const limit = 2 ** (bits - 1);
  const y = Array.from(test.numbers('z'), (z, index) => {
    const { m, e } = scales[scales.length === 1 ? 0 : index % scales.length] as Dyadic;
    if (identity === undefined || other === undefined) return saturate(requantizeOne(z, m, e), -limit, limit - 1);
    return saturate(requantizeSum(z, m, e, at(identity, index), other.m, other.e), -limit, limit - 1);
  });
  tally.same(test.id, y, test.numbers('y'));
}

function quantactInput(test: Case, tally: Tally): void {
  const scale = test.scalar('out_scale');
  const y = Array.from(test.numbers('x'), (x) => quantizeF32(x, scale, attribute(test, 'bits')));
  tally.same(test.id, y, test.numbers('y'));
}

/** Integer weights and bias of a linear or convolution, made from the float ones and compared with the stored ones. */
function weights(test: Case, tally: Tally, scaleName: string): { w: Int8Array; b: Int32Array | null } {
  const scales = test.numbers(scaleName);
  const float = test.numbers('weight');
  const perRow = float.length / scales.length;
  const w = Int8Array.from(float, (value, index) => {
    return quantizeF32(value, scales[Math.floor(index / perRow)] as number, 8);
  });
  tally.same(`${test.id} weight_integer`, w, test.numbers('weight_integer'));
  if (!test.has('bias')) return { w, b: null };
  const b = Array.from(test.numbers('bias'), (value, index) => {
    const scale = Math.fround((scales[index] as number) * test.scalar('in_scale'));
    // A checkpoint stores integers as float32: beyond 2^24 they were rounded there.
    return saturate(Math.fround(quantizeF32(value, scale, 32)), -(2 ** 31), 2 ** 31 - 1);
  });
  const stored = Array.from(test.numbers('bias_integer'), (value) => saturate(value, -(2 ** 31), 2 ** 31 - 1));
  tally.same(`${test.id} bias_integer`, b, stored);
  return { w, b: Int32Array.from(b) };
}

function narrow(values: ArrayLike<number>): Int8Array | Int16Array {
  const wide = Array.from(values).some((value) => value < -128 || value > 127);
  return wide ? Int16Array.from(values) : Int8Array.from(values);
}

/** `[rows,k]·[n,k]ᵀ + b` */
function product(x: Int8Array | Int16Array, w: Int8Array, k: number, b: Int32Array | null): Int32Array {
  const rows = x.length / k;
  const n = w.length / k;
  const y = new Int32Array(rows * n);
  gemmPacked(y, 0, n, x, 0, k, rows, packMatrix(w, n, k), b);
  return y;
}

function quantlinear(test: Case, tally: Tally): void {
  const { w, b } = weights(test, tally, 'fc_scaling_factor');
  const y = product(narrow(test.numbers('x')), w, last(test.shape('x')), b);
  tally.same(test.id, y, test.numbers('y'));
}

/** Columns of a patch convolution: `[images, patches, channels·p·p]`. */
function patches(x: ArrayLike<number>, shape: readonly number[], p: number): Int8Array {
  const [images, channels, height, width] = shape as readonly [number, number, number, number];
  const found: number[] = [];
  for (let image = 0; image < images; image += 1) {
    for (let top = 0; top < height; top += p) {
      for (let left = 0; left < width; left += p) {
        for (let index = 0; index < channels * p * p; index += 1) {
          const channel = Math.floor(index / (p * p));
          const y = top + (Math.floor(index / p) % p);
          found.push(x[((image * channels + channel) * height + y) * width + left + (index % p)] as number);
        }
      }
    }
  }
  return Int8Array.from(found);
}

function quantconv2d(test: Case, tally: Tally): void {
  const { w, b } = weights(test, tally, 'conv_scaling_factor');
  const shape = test.shape('x');
  const n = test.numbers('conv_scaling_factor').length;
  const k = w.length / n;
  const rows = product(patches(test.numbers('x'), shape, attribute(test, 'patch')), w, k, b);
  const perImage = rows.length / (shape[0] as number) / n;
  const y = Array.from(rows, (_, index) => {
    const image = Math.floor(index / (n * perImage));
    const channel = Math.floor(index / perImage) % n;
    return rows[(image * perImage + (index % perImage)) * n + channel] as number;
  });
  tally.same(test.id, y, test.numbers('y'));
}

function quantmatmul(test: Case, tally: Tally): void {
  const [a, b] = [narrow(test.numbers('a')), Int8Array.from(test.numbers('b'))];
  const k = last(test.shape('a'));
  const rows = test.shape('a')[test.shape('a').length - 2] as number;
  const n = last(test.shape('b'));
  const y: number[] = [];
  for (let group = 0; group * rows * k < a.length; group += 1) {
    const matrix = b.subarray(group * k * n, (group + 1) * k * n);
    const columns = Int8Array.from(matrix, (_, index) => matrix[(index % k) * n + Math.floor(index / k)] as number);
    y.push(...product(a.subarray(group * rows * k, (group + 1) * rows * k), columns, k, null));
  }
  tally.same(test.id, y, test.numbers('y'));
}

function softmax(test: Case, tally: Tally): void {
  const shift = softmaxX0(test.scalar('scale'));
  tally.same(`${test.id} x0`, [shift], [attribute(test, 'x0')]);
  const x = Int8Array.from(test.numbers('x'));
  const bits = attribute(test, 'bits') === 8 ? 8 : 16;
  const y = bits === 8 ? new Int8Array(x.length) : new Int16Array(x.length);
  const length = last(test.shape('x'));
  softmaxRows(y, 0, x, 0, x.length / length, length, { shift, n: attribute(test, 'n') }, bits);
  tally.same(test.id, y, test.numbers('y'));
}

function gelu(test: Case, tally: Tally): void {
  const x0 = shiftGeluX0(test.scalar('scale'));
  tally.same(`${test.id} x0`, [x0], [attribute(test, 'x0')]);
  const x = Int8Array.from(test.numbers('x'));
  const y = new Int16Array(x.length);
  const length = last(test.shape('x'));
  shiftGeluRows(y, 0, x, 0, x.length / length, length, x0, attribute(test, 'n'));
  tally.same(test.id, y, test.numbers('y'));
}

function layernorm(test: Case, tally: Tally): void {
  const { bias, scale } = layerNormIntegers(test.numbers('bias'), test.numbers('weight'));
  tally.same(`${test.id} bias_integer`, bias, test.numbers('bias_integer'));
  tally.same(`${test.id} norm_scaling_factor`, scale, test.numbers('norm_scaling_factor'));
  const x = Int16Array.from(test.numbers('x'));
  const length = last(test.shape('x'));
  const y: number[] = new Array(x.length).fill(0);
  layerNormRows(y, 0, x, 0, x.length / length, length, bias);
  tally.same(test.id, y, test.numbers('y'));
}

/** By the name of the vector file. */
const CHECKS: Readonly<Record<string, Check>> = {
  batch_frexp: frexp,
  quantact8: quantact,
  quantact16: quantact,
  quantact_input: quantactInput,
  quantlinear,
  quantconv2d,
  quantmatmul,
  softmax8: softmax,
  softmax16: softmax,
  gelu,
  layernorm,
};

function caseOf(tensors: Tensors, id: string, attrs: Readonly<Record<string, number>>): Case {
  return {
    id,
    attrs,
    has: (name) => tensors.has(`${id}/${name}`),
    numbers: (name) => tensors.numbers(`${id}/${name}`),
    scalar: (name) => tensors.numbers(`${id}/${name}`)[0] as number,
    shape: (name) => tensors.shape(`${id}/${name}`),
  };
}

interface VectorFile {
  readonly cases: readonly { readonly id: string; readonly attrs: Readonly<Record<string, number>> }[];
}

/** One op's vector file (`NAME.json`, `NAME.safetensors`); false when the op is not known here. */
export function checkOpVectors(folder: string, name: string, tally: Tally): boolean {
  const check = CHECKS[name];
  if (check === undefined) return false;
  const { cases } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as VectorFile;
  const tensors = readTensors(join(folder, `${name}.safetensors`));
  for (const { id, attrs } of cases) check(caseOf(tensors, id, attrs), tally);
  return true;
}
