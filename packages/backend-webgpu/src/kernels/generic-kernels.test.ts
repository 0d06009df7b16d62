import { describe, expect, it } from 'vitest';
import { floatIn } from '../testing/integer-text.js';
import { GENERIC_KERNELS } from './generic-kernels.js';

describe('shaders of single ops', () => {
  it.each(Object.entries(GENERIC_KERNELS))('%s: is the reviewed text', (_, code) => {
    expect(code).toMatchSnapshot();
  });

  it.each(Object.entries(GENERIC_KERNELS))('%s: holds no floating point and stays in default limits', (_, code) => {
    expect(floatIn(code)).toBeUndefined();
    expect(code.match(/@compute @workgroup_size\((\d+)\)\nfn main\(/g)).toHaveLength(1);
    expect(code.match(/var<storage/g)).toHaveLength(2);
  });
});

describe('floatIn', () => {
  it.each([
    'let a: f32 = b;',
    'var v: vec4<f32>;',
    'let v = vec2f(1);',
    'enable f16;',
    'let a = 1.5;',
    'let a = 2f;',
    'let a = 1e3;',
    'let a = sqrt(x);',
    'let a = pack4x8snorm(v);',
  ])('sees %s', (text) => {
    expect(floatIn(`fn f() { ${text} }`)).toBeDefined();
  });

  it('lets integers and comments be', () => {
    expect(floatIn('/* 1.5 f32 */ fn f() { let a = 0x1fu + 3i; } // sqrt(2.0)')).toBeUndefined();
  });
});
