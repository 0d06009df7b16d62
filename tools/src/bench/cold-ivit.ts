/** Cold start of ours: arguments = program file, photo, backend. Prints the label, then the peak memory. */
import { readFileSync } from 'node:fs';
import { createModel } from '@ivit/runtime';
import { BACKENDS, createBackend } from './backend.js';
import { printPeak } from './peak.js';

const [file = '', photo = '', name] = process.argv.slice(2);
const backend = BACKENDS.find((known) => known === name) ?? 'cpu';
const model = await createModel({
  program: readFileSync(file),
  borrow: true, // as loadModel does with a file's bytes
  where: file,
  backends: [await createBackend(backend, 1)],
  maxBatch: 1,
});
const [best] = await model.classify(new Uint8Array(readFileSync(photo)), { topK: 1 });
console.log(`label ${best?.label}`);
printPeak();
process.exit(0);
