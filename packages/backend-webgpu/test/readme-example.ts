import { createWebgpuBackend } from '@ivit/backend-webgpu';
import { createProgramBuilder, validate } from '@ivit/program';
import { create } from 'webgpu'; // in Node; a page leaves `gpu` out: it has navigator.gpu

const builder = createProgramBuilder('pixels', [4, 3]);
builder.constant('rows', 'i32', [2], [3, 0]);
builder.add({ op: 'gather', result: 'ends', x: { value: 'pixels' }, rows: 'rows', width: 3 }, [2, 3]);
builder.add({ op: 'requantize', result: 'y', x: { value: 'ends' }, m: 3, e: 1, z: 0, axis: 0, run: 0, to: 'i32' });

const backend = createWebgpuBackend({ gpu: create([]) });
const executable = await backend.compile(validate(builder.build({ output: 'y' }), { fragment: true }));
const outputs = await executable.run(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12), { batch: 1 });
console.log(executable.info.backend, outputs['y']?.data.join()); // webgpu 15,16,18,2,3,4
await executable.dispose();
