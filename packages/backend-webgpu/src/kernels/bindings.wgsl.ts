/** The bindings that every shader begins with; layout.ts says what they hold. */
export const bindings = /* wgsl */ `
@group(0) @binding(0) var<storage, read_write> arena: array<u32>;
@group(0) @binding(1) var<storage, read> constants: array<u32>;
@group(0) @binding(2) var<uniform> record: array<vec4<i32>, 32>;

/** Word i of the op's record. */
fn field(i: u32) -> i32 {
  return record[i >> 2u][i & 3u];
}
`;
