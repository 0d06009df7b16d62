import { expect, it } from 'vitest';
import { BACKENDS } from './backends.js';

const choice = (name: string) => BACKENDS.find((backend) => backend.name === name);

it('leaves the reference out where it would take minutes', async () => {
  expect(await choice('reference')?.hesitate?.(38_799_616)).toBe(undefined);
  expect(await choice('reference')?.hesitate?.(1_253_000_000)).toBe('1.3 billion multiply-accumulates take it long.');
});

it('does not leave WebGPU out where there is none: trying it says why', async () => {
  expect(await choice('webgpu')?.hesitate?.(0)).toBe(undefined);
});

it('says how a backend runs', () => {
  const how = { variant: 'wasm-simd128', threads: 1, device: 'WebAssembly' };
  expect(choice('cpu')?.describe(how)).toBe('wasm-simd128, one thread');
  expect(choice('cpu')?.describe({ ...how, threads: 4 })).toBe('wasm-simd128, 4 threads');
});
