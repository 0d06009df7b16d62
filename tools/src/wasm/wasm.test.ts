import { kernelBytes, relaxedKernelBytes } from '@ivit/backend-cpu';
import { describe, expect, it, test } from 'vitest';
import { checkKernels, checkModule, checkRelaxedKernels, MAIN, RELAXED } from './check.js';
import { CORE, PREFIXED } from './opcodes.js';
import { walkModule } from './walk.js';

const I32 = 0x7f;
const F32 = 0x7d;
const F64 = 0x7c;
const EXPECTED = { exports: ['function f'], shared: false };

function leb(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...leb(value >>> 7)];
}

const text = (name: string): number[] => [...leb(name.length), ...Buffer.from(name)];
const section = (id: number, content: readonly number[]): number[] => [id, ...leb(content.length), ...content];
const ENV_MEMORY = [1, ...text('env'), ...text('memory'), 2, 1, 1, 16];

interface Parts {
  /** Instructions without the last `end`. */
  readonly code?: readonly number[];
  /** Groups of locals as they stand in a body. */
  readonly locals?: readonly number[];
  readonly type?: readonly number[];
  readonly imports?: readonly number[];
  readonly more?: readonly number[];
}

/** A module of one exported function; by default it does nothing. */
function assemble({
  code = [],
  locals = [0],
  type = [0, 0],
  imports = ENV_MEMORY,
  more = [],
}: Parts): Uint8Array<ArrayBuffer> {
  const body = [...locals, ...code, 0x0b];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, ...type]),
    ...section(2, imports),
    ...section(3, [1, 0]),
    ...more,
    ...section(7, [1, ...text('f'), 0, 0]),
    ...section(10, [1, ...leb(body.length), ...body]),
  ]);
}

function problems(parts: Parts): readonly string[] {
  return checkModule(assemble(parts), EXPECTED).problems;
}

describe('the built module', () => {
  it('holds no float in either build', () => {
    const reports = checkKernels(kernelBytes);
    expect(reports.flatMap((report) => report.problems)).toEqual([]);
    expect(reports[0]?.opcodes).toBeGreaterThan(5000);
    expect(reports[1]?.opcodes).toBe(reports[0]?.opcodes);
    expect(reports[0]?.functions).toBeGreaterThan(10);
  });

  it('has relaxed SIMD in its second module only, the one operation that is probed', () => {
    const reports = checkRelaxedKernels(relaxedKernelBytes);
    expect(reports.flatMap((report) => report.problems)).toEqual([]);
    expect(reports[0]?.opcodes).toBeGreaterThan(300);
    const { relaxed: _, ...none } = RELAXED;
    const { problems: found } = checkModule(relaxedKernelBytes('unshared'), { ...none, shared: false });
    expect(found.length).toBe(12);
    expect(found[0]).toContain('i32x4.relaxed_dot_i8x16_i7x16_add_s may differ between machines');
    expect(walkModule(kernelBytes('unshared')).opcodes.filter(([, name]) => name.includes('relaxed'))).toEqual([]);
  });

  it('uses what makes it fast: SIMD, and atomics between threads', () => {
    const names = new Set(walkModule(kernelBytes('shared')).opcodes.map(([, name]) => name));
    for (const name of ['i32x4.dot_i16x8_s', 'v128.load', 'memory.atomic.wait32', 'i32.atomic.rmw.add']) {
      expect([...names]).toContain(name);
    }
  });

  it('is seen to be another one when a byte of its code is', () => {
    const bytes = kernelBytes('unshared');
    const { opcodes } = walkModule(bytes);
    const [at] = opcodes.find(([, name]) => name === 'i64.add') ?? [0];
    bytes[at] = 0xa0; // f64.add
    const { problems: found } = checkModule(bytes, { ...MAIN, shared: false });
    expect(found).toEqual([`byte ${at}: f64.add is a floating-point operation`]);
  });

  it('is not proved when the builds are two modules', () => {
    const changed = (kind: 'shared' | 'unshared'): Uint8Array => {
      const bytes = kernelBytes(kind);
      if (kind === 'shared') bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
      return bytes;
    };
    expect(checkKernels(changed).flatMap((report) => report.problems)).toContainEqual(
      expect.stringContaining('2 bytes'),
    );
    const same = checkKernels(() => kernelBytes('unshared')).flatMap((report) => report.problems);
    expect(same).toContain('import memory env.memory is not shared');
  });
});

describe('planted violations', () => {
  const address = [0x41, 0];
  const zeros = Array.from({ length: 16 }, () => 0);
  const vector = [0xfd, 12, ...zeros];
  const drop = [0x1a];
  const planted: readonly (readonly [name: string, code: readonly number[]])[] = [
    ['f32.const', [0x43, 0, 0, 0, 0, ...drop]],
    ['f64.const', [0x44, ...zeros.slice(8), ...drop]],
    ['f32.load', [...address, 0x2a, 2, 0, ...drop]],
    ['f64.store', [...address, 0x44, ...zeros.slice(8), 0x39, 3, 0]],
    ['f32.convert_i32_s', [...address, 0xb2, ...drop]],
    ['f64.reinterpret_i64', [0x42, 0, 0xbf, ...drop]],
    ['i32.trunc_f64_s', [0x44, ...zeros.slice(8), 0xaa, ...drop]],
    ['i32.trunc_sat_f32_u', [0x43, 0, 0, 0, 0, 0xfc, 1, ...drop]],
    ['f32x4.add', [...vector, ...vector, 0xfd, ...leb(228), ...drop]],
    ['f64x2.splat', [0x44, ...zeros.slice(8), 0xfd, 20, ...drop]],
    ['f32x4.convert_i32x4_s', [...vector, 0xfd, ...leb(250), ...drop]],
    ['i32x4.trunc_sat_f32x4_s', [...vector, 0xfd, ...leb(248), ...drop]],
  ];

  test.each(planted)('%s', (name, code) => {
    // The engine agrees that this is a module, so what is refused is the float in it.
    expect(WebAssembly.validate(assemble({ code }))).toBe(true);
    expect(problems({ code })).toContainEqual(expect.stringContaining(`${name} is a floating-point operation`));
  });

  it('sees a relaxed operation, which may differ between machines', () => {
    const code = [...vector, ...vector, 0xfd, ...leb(256), ...drop];
    expect(problems({ code })).toEqual([expect.stringContaining('i8x16.relaxed_swizzle may differ')]);
    const allowing = (relaxed: readonly string[]): readonly string[] =>
      checkModule(assemble({ code }), { ...EXPECTED, relaxed }).problems;
    expect(allowing(['i8x16.relaxed_swizzle'])).toEqual([]);
    expect(allowing(['i16x8.relaxed_q15mulr_s'])).toHaveLength(1);
    // No list allows a float.
    const float = { code: [...vector, ...vector, ...vector, 0xfd, ...leb(261), ...drop] };
    const list = { ...EXPECTED, relaxed: ['f32x4.relaxed_madd'] };
    expect(checkModule(assemble(float), list).problems).toHaveLength(1);
  });

  it('sees a float behind every kind of immediate', () => {
    const float = [0x43, 0, 0, 0, 0, ...drop];
    const before: readonly (readonly number[])[] = [
      [0x02, 0x40, 0x0c, 0, 0x0b], // block, br, end
      [...address, 0x04, 0x40, 0x05, 0x0b], // if, else, end
      [...address, 0x02, I32, ...address, 0x0b, 0x1a, 0x1a], // block of a value
      [0x02, 0x40, ...address, 0x0e, 1, 0, 0, 0x0b], // br_table
      [...address, ...address, ...address, 0x1c, 1, I32, ...drop], // select of a type
      [0x41, ...leb(0x0b0b0b), ...drop, 0x42, 0xff, 0x7e, ...drop], // numbers with bytes that look like opcodes
      [...vector, ...vector, 0xfd, 13, ...zeros, ...drop], // shuffle
      [...address, ...vector, 0xfd, 84, 0, 0, 3, ...drop], // load8_lane: memory and lane
      [...vector, 0xfd, 27, 2, ...drop], // extract_lane
      [...address, ...address, ...address, 0xfc, 10, 0, 0], // memory.copy
      [...address, ...address, ...address, 0xfc, 11, 0], // memory.fill
      [0xfe, 3, 0, ...address, ...address, 0xfe, 0, 2, 0, ...drop], // fence, notify
    ];
    for (const code of before) {
      expect(WebAssembly.validate(assemble({ code })), String(code)).toBe(true);
      expect(problems({ code }), String(code)).toEqual([]);
      expect(problems({ code: [...code, ...float] }), String(code)).toHaveLength(1);
    }
  });

  it('sees float types of locals, parameters, results, blocks and globals', () => {
    expect(problems({ locals: [2, 1, I32, 3, F32] })).toEqual([expect.stringContaining('a value of type f32')]);
    expect(problems({ type: [1, F64, 0] })).toEqual([expect.stringContaining('a value of type f64')]);
    expect(problems({ type: [0, 1, F32], code: [0x00] })).toEqual([expect.stringContaining('a value of type f32')]);
    expect(problems({ code: [0x02, F32, 0x00, 0x0b, 0x1a] })).toEqual([expect.stringContaining('type f32')]);
    const global = section(6, [1, F64, 0, 0x44, ...zeros.slice(8), 0x0b]);
    expect(problems({ more: global })).toHaveLength(2);
  });

  it('sees other imports and exports', () => {
    expect(problems({})).toEqual([]);
    const other = [2, ...ENV_MEMORY.slice(1), ...text('env'), ...text('f'), 0, 0];
    expect(problems({ imports: other })).toHaveLength(2);
    const functions = (names: readonly string[]): readonly string[] =>
      checkModule(assemble({ imports: other }), { ...EXPECTED, functions: names }).problems;
    expect(functions(['f'])).toEqual([]);
    expect(functions(['g'])).toHaveLength(1);
    expect(functions(['f', 'g'])).toEqual(['2 imports instead of 3']);
    expect(problems({ imports: [0] })).toEqual(['0 imports instead of 1']);
    expect(problems({ imports: [1, ...text('env'), ...text('mem'), 2, 1, 1, 16] })).toHaveLength(1);
    expect(problems({ imports: [1, ...text('env'), ...text('memory'), 2, 0, 1] })).toHaveLength(1);
    expect(checkModule(assemble({}), { ...EXPECTED, exports: ['function g'] }).problems).toHaveLength(1);
  });

  it('does not prove what it cannot read to the end', () => {
    const whole = assemble({ code: [0x41, 0, 0x1a] });
    for (const length of [0, 7, 20, whole.length - 1]) {
      expect(checkModule(whole.subarray(0, length), EXPECTED).problems, `${length} bytes`).not.toEqual([]);
    }
    expect(problems({ code: [0x06, 0x40, 0x0b] })).toEqual([expect.stringContaining('no known opcode')]);
    expect(problems({ code: [0xfd, ...leb(154)] })).toEqual([expect.stringContaining('no known opcode')]);
    expect(problems({ code: [0x0b] })).toEqual([expect.stringContaining('goes on after its end')]);
    expect(problems({ more: section(4, [1, 0x70, 0, 1]) })).toEqual([expect.stringContaining('section 4')]);
  });
});

it('knows all opcodes of its four tables', () => {
  expect([CORE, ...PREFIXED.values()].map((table) => table.size)).toEqual([183, 18, 256, 67]);
});
