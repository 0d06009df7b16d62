import { expect, it } from 'vitest';
import { bindings } from '../kernels/bindings.wgsl.js';
import { testDevice } from './device.js';
import { runKernel } from './run-kernel.js';

it('has an adapter with the default limits', async () => {
  const { limits } = await testDevice();
  expect(limits.maxComputeInvocationsPerWorkgroup).toBe(256);
  expect(limits.maxStorageBuffersPerShaderStage).toBe(8);
});

it('runs a shader over arena, constants and record', async () => {
  const code = /* wgsl */ `${bindings}
@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3<u32>) {
  arena[id.x] = arena[id.x] + constants[id.x] * u32(field(5u));
}`;
  const arena = Uint32Array.of(1, 2, 3, 4);
  const record = [0, 0, 0, 0, 0, 7];
  expect([
    ...(await runKernel({ code, arena, constants: Uint32Array.of(1, 1, 1, 2), record, grid: [4, 1, 1] })),
  ]).toEqual([8, 9, 10, 18]);
});
