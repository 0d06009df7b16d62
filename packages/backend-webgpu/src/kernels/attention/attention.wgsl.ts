/**
 * Attention of one head and a block of query rows, from q, k, v to the requantized product:
 *
 *     P = softmax( logits( q·kᵀ ) ),  y = out( P·v )
 *
 * A workgroup takes 8 (or 4) queries of one group (head, and window). Their logits stay in workgroup memory as i16, two words for
 * four keys; the probabilities take their place. An i16 probability p is 256·h + l with -128 ≤ h < 128, 0 ≤ l < 256:
 * Σ p·v = 256·Σ h·v + Σ (l - 128)·v + 128·Σ v, so that packed signed products do all of it. Partial sums are below the
 * validator's bound for P·v only at the end, but they are integers modulo 2^32 all the way.
 *
 * Keys beyond the last in a group of four are the last key again: they stay out of maximum and sum, and have p = 0.
 * Workgroup memory: `memoryBytes`.
 */

import { divide } from '../../wgsl/divide.wgsl.js';
import { exponential } from '../../wgsl/exponential.wgsl.js';
import { narrow } from '../../wgsl/narrow.wgsl.js';
import { packed as packing } from '../../wgsl/packed.wgsl.js';
import { requantize } from '../../wgsl/requantize.wgsl.js';
import { wide } from '../../wgsl/wide.wgsl.js';
import { bindings } from '../bindings.wgsl.js';
import { dot } from '../products/dot.wgsl.js';
import { reading } from '../products/stages.wgsl.js';
import { type FourForm, helpers, STAGE_WORDS, STAGES, stage } from './four-stage.wgsl.js';
import { exponentials, type SoftmaxForm, softmaxText } from './softmax-rows.wgsl.js';
import { type WideForm, wideQueries } from './wide-queries.wgsl.js';

/** Invocations of a workgroup. */
export const GROUP = 64;
export interface AttentionForm extends SoftmaxForm {
  readonly packed: boolean;
  readonly rows: 4 | 8;
  /** Groups of four keys; words of a query. */
  readonly quads: number;
  readonly depthWords: number;
  /** The requantizations of the logits, and of P·v where it is requantized here. */
  readonly logits: readonly FourForm[];
  readonly out: FourForm | undefined;
  readonly result: 'i8' | 'i16' | 'i32';
  /** Queries of i16 beside those, which have workgroups of their own in front; `out` is there, too. */
  readonly wide?: WideForm;
}

/** Bytes of workgroup memory. */
export function memoryBytes(form: Pick<AttentionForm, 'rows' | 'quads' | 'depthWords'>): number {
  const { rows, quads, depthWords } = form;
  return 4 * (rows * (2 * quads + depthWords + 4 * depthWords + 1) + GROUP);
}

const STORES = {
  i8: '    arena[to + (at >> 2u)] = pack_i8(y);',
  i16: `    arena[to + (at >> 1u)] = pack_i16(y.x, y.y);
    arena[to + (at >> 1u) + 1u] = pack_i16(y.z, y.w);`,
  i32: `    for (var c = 0u; c < 4u; c++) {
      arena[to + at + c] = bitcast<u32>(y.x);
      y = y.yzwx;
    }`,
} as const;

const ownRows = /* wgsl */ `  let first = block.x * ROWS;
  let rows = u32(field(4u));`;
const ownQuery = 'arena[row_word(8u, image, group, min(first + i / WORDS, rows - 1u)) + i % WORDS]';
const ownPlace = '  let to = u32(field(0u)) + image * u32(field(1u));';

export function attentionShader(form: AttentionForm): string {
  const { rows, quads, depthWords, logits, out } = form;
  const line = 2 * quads;
  const each = (text: (r: number) => string): string => Array.from({ length: rows }, (_, r) => text(r)).join('\n');
  const four = (a: string, b: string): string =>
    `vec4<i32>(dot4(${a}, ${b}0), dot4(${a}, ${b}1), dot4(${a}, ${b}2), dot4(${a}, ${b}3))`;
  const move = each((i) => (i + 1 < rows ? `      sum${i} = sum${i + 1};` : ''));
  const stages = logits.map((own, i) => stage(`logit${i}`, STAGES + i * STAGE_WORDS, own)).join('');
  const last = out === undefined ? '' : stage('out', STAGES + logits.length * STAGE_WORDS, out);
  const beside = form.wide && wideQueries(form.wide, rows, logits.length + 1);
  const at = 'image, vec4<u32>(group, row, key)';
  const inline = logits.reduce((inner, _, i) => `logit${i}(${inner}, ${at})`, 'own.x');
  const staged = beside === undefined ? inline : `logit_of(own.x, ${at})`;
  const end = beside === undefined ? 'u32(field(4u))' : 'row_end';
  const index = 'own, image, vec4<u32>(group, row, column + c)';
  const requantized = beside === undefined ? `out(${index})` : `out_of(${index})`;
  const stride = (axis: number): string =>
    beside === undefined ? `field(${28 + axis}u)` : `field(strides + ${axis}u)`;
  const wide16 = form.bits === 16;
  const products = each((i) => {
    const low = `line[${i * line}u + 2u * quad]`;
    const high = `line[${i * line}u + 2u * quad + 1u]`;
    return wide16
      ? `      sum${i} += ${four(low, 't')} + 256 * ${four(high, 't')};`
      : `      sum${i} += ${four(low, 't')};`;
  });
  return /* wgsl */ `${bindings}
const ROWS: u32 = ${rows}u;
const LANES: u32 = ${rows === 8 ? 8 : 16}u;
const QUADS: u32 = ${quads}u;
const LINE: u32 = ${line}u;
const WORDS: u32 = ${depthWords}u;
var<workgroup> line: array<u32, ${rows * line}>;
var<workgroup> queries: array<u32, ${rows * depthWords}>;
var<workgroup> mixed: array<atomic<i32>, ${rows * depthWords * 4}>;
var<workgroup> parts: array<u32, ${GROUP}>;
${dot(form.packed)}${wide}${requantize}${narrow}${packing}${reading}${divide}${exponential}${helpers}
${exponentials[form.exponential]}${stages}${last}${beside?.functions(logits.length) ?? ''}${softmaxText(form)}
/** q·kᵀ and its requantizations: an invocation takes four keys for all rows. */
fn make_logits(image: u32, group: vec2<u32>, first: u32, thread: u32) {
  let keys = u32(field(5u));
  for (var quad = thread; quad < QUADS; quad += ${GROUP}u) {
    var k0 = row_word(14u, image, group, 4u * quad);
    var k1 = row_word(14u, image, group, min(4u * quad + 1u, keys - 1u));
    var k2 = row_word(14u, image, group, min(4u * quad + 2u, keys - 1u));
    var k3 = row_word(14u, image, group, min(4u * quad + 3u, keys - 1u));
${each((i) => `    var sum${i} = vec4<i32>();`)}
    for (var w = 0u; w < WORDS; w++) {
      let b0 = arena[k0 + w];
      let b1 = arena[k1 + w];
      let b2 = arena[k2 + w];
      let b3 = arena[k3 + w];
${each((i) => `      let a${i} = queries[${i * depthWords}u + w];`)}
${each((i) => `      sum${i} += ${four(`a${i}`, 'b')};`)}
    }
${beside?.sums ?? ''}    for (var i = 0u; i < ROWS; i++) {
      let row = min(first + i, ${end} - 1u);
      var y = vec4<i32>();
      var own = sum0;
      for (var c = 0u; c < 4u; c++) {
        let key = min(4u * quad + c, keys - 1u);
        y = vec4<i32>(y.yzw, ${staged});
        own = own.yzwx;
      }
      line[i * LINE + 2u * quad] = pack_i16(y.x, y.y);
      line[i * LINE + 2u * quad + 1u] = pack_i16(y.z, y.w);
${move}
    }
  }
}

/** P·v: an invocation takes four columns for all rows and a part of the keys, and adds its sums to the others'. */
fn mix(image: u32, group: vec2<u32>, thread: u32) {
  let keys = u32(field(5u));
  let share = ${GROUP}u / WORDS;
  let word = thread % WORDS;
  if (thread < share * WORDS) {
${each((i) => `    var sum${i} = vec4<i32>();`)}
    var extra = vec4<i32>();
    for (var quad = thread / WORDS; quad < QUADS; quad += share) {
      let a = arena[row_word(20u, image, group, 4u * quad) + word];
      let b = arena[row_word(20u, image, group, min(4u * quad + 1u, keys - 1u)) + word];
      let c = arena[row_word(20u, image, group, min(4u * quad + 2u, keys - 1u)) + word];
      let d = arena[row_word(20u, image, group, min(4u * quad + 3u, keys - 1u)) + word];
      // Four keys of four columns, to four columns of four keys.
      let x0 = (a & 0x00ff00ffu) | ((b & 0x00ff00ffu) << 8u);
      let x1 = ((a >> 8u) & 0x00ff00ffu) | (b & 0xff00ff00u);
      let y0 = (c & 0x00ff00ffu) | ((d & 0x00ff00ffu) << 8u);
      let y1 = ((c >> 8u) & 0x00ff00ffu) | (d & 0xff00ff00u);
      let t0 = (x0 & 0xffffu) | (y0 << 16u);
      let t1 = (x1 & 0xffffu) | (y1 << 16u);
      let t2 = (x0 >> 16u) | (y0 & 0xffff0000u);
      let t3 = (x1 >> 16u) | (y1 & 0xffff0000u);
${wide16 ? `      extra += ${four('0x01010101u', 't')};` : ''}
${products}
    }
    for (var i = 0u; i < ROWS; i++) {
      var own = sum0 + 128 * extra;
      for (var c = 0u; c < 4u; c++) {
        atomicAdd(&mixed[(i * WORDS + word) * 4u + c], own.x);
        own = own.yzwx;
      }
${move}
    }
  }
}

@compute @workgroup_size(${GROUP})
fn main(@builtin(workgroup_id) block: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
  let image = block.z;
${beside?.rows ?? ownRows}
  let groups = u32(field(7u));
  let group = vec2<u32>(block.y / groups, block.y % groups);
  for (var i = thread; i < ROWS * WORDS; i += ${GROUP}u) {
    queries[i] = ${beside === undefined ? ownQuery : 'query_word(image, group, first, i / WORDS, i % WORDS)'};
  }
  workgroupBarrier();
  make_logits(image, group, first, thread);
  workgroupBarrier();
  softmax_row(thread / LANES, thread, u32(field(5u)));
  workgroupBarrier();
  mix(image, group, thread);
  workgroupBarrier();
${beside?.to ?? ownPlace}
  for (var i = thread; i < ROWS * WORDS; i += ${GROUP}u) {
    let row = first + i / WORDS;
    if (row < rows) {
      let column = (i % WORDS) * 4u;
      var y = vec4<i32>();
      for (var c = 0u; c < 4u; c++) {
        let own = atomicLoad(&mixed[4u * i + c]);
        y = vec4<i32>(y.yzw, ${out === undefined ? 'own' : requantized});
      }
      let at = u32(i32(group.x) * ${stride(0)} + i32(group.y) * ${stride(1)} + i32(row) * ${stride(2)}) + column;
  ${STORES[form.result].replaceAll('\n', '\n  ')}
    }
  }
}
`;
}
