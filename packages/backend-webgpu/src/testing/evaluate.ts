import { expect } from 'vitest';
import { bindings } from '../kernels/bindings.wgsl.js';
import { runKernel } from './run-kernel.js';

/**
 * A WGSL expression over many inputs at once. In it `a`, `b`, `c`, … are the i32 words of one input.
 *
 * @param functions text of the functions that the expression calls
 * @param expression one that yields `words` u32 words: u32, or vec2<u32>
 * @returns for each input its words, as u32
 */
export async function evaluate(
  functions: string,
  expression: string,
  words: 1 | 2,
  inputs: readonly (readonly number[])[],
): Promise<readonly (readonly number[])[]> {
  const width = inputs[0]?.length ?? 0;
  const first = inputs.length * words;
  const arena = new Uint32Array(first + inputs.length * width);
  for (const [i, input] of inputs.entries()) {
    for (const [j, word] of input.entries()) arena[first + i * width + j] = word;
  }
  const names = Array.from({ length: width }, (_, j) => {
    return `  let ${'abcdefgh'[j]} = bitcast<i32>(arena[u32(field(0u)) + i * ${width}u + ${j}u]);`;
  });
  const results = words === 1 ? 'arena[i] = result;' : 'arena[2u * i] = result.x;\n  arena[2u * i + 1u] = result.y;';
  const code = `${bindings}${functions}
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  let i = id.x;
  if (i >= u32(field(1u))) { return; }
${names.join('\n')}
  let result = ${expression};
  ${results}
}`;
  const grid = [Math.ceil(inputs.length / 64), 1, 1] as const; // float-ok: a count of workgroups in a test
  const out = await runKernel({ code, arena, record: [first, inputs.length], grid });
  return inputs.map((_, i) => Array.from(out.subarray(i * words, (i + 1) * words)));
}

/** Expects equal results, and names the first inputs whose results differ. */
export function expectSame(
  inputs: readonly (readonly number[])[],
  got: readonly (readonly number[])[],
  want: readonly (readonly number[])[],
): void {
  const found: string[] = [];
  for (const [i, input] of inputs.entries()) {
    if (found.length < 10 && `${got[i]}` !== `${want[i]}`) found.push(`(${input}): got ${got[i]}, expected ${want[i]}`);
  }
  expect(found).toEqual([]);
  expect(got.length).toBe(want.length);
  expect(got.length).toBe(inputs.length);
}
