/** One Node process of `pnpm bench`: argument = a task as JSON; its last line on stdout is the result as JSON. */
import { readFileSync } from 'node:fs';
import type { Task } from './measure.js';
import { perform } from './subjects.js';

const task = JSON.parse(process.argv[2] ?? '{}') as Task;
const result = await perform(task, {
  engine: `Node ${process.version}, V8 ${process.versions.v8}`,
  read: async (file) => new Uint8Array(readFileSync(file)),
  loadOrt: async (url) => {
    const module = await import(url);
    // onnxruntime-node is CommonJS: what it exports may be known as `default` only.
    return 'InferenceSession' in module ? module : module.default;
  },
});
process.stdout.write(`\n${JSON.stringify(result)}\n`, () => {
  // onnxruntime-web's threads would keep the process alive.
  process.exit(0);
});
