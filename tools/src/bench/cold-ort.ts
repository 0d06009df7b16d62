/**
 * Cold start of a peer: arguments = module URL, `wasm` or `cpu`, ONNX file, photo. Our own decoder and resizing stand
 * before it: the peers bring none, and their users have to add one. Prints the class, then the peak memory.
 */
import { readFileSync } from 'node:fs';
import { decodeImage, preprocess } from '@ivit/image';
import { printPeak } from './peak.js';
import { openOrt, toPlanes } from './subjects.js';

const [url = '', provider = '', file = '', photo = ''] = process.argv.slice(2);
const module = await import(url);
const ort = 'InferenceSession' in module ? module : module.default;
const session = await openOrt(ort, provider === 'cpu' ? 'cpu' : 'wasm', new Uint8Array(readFileSync(file)), 1);
const decoded = await decodeImage(new Uint8Array(readFileSync(photo)));
const pixels = preprocess(decoded, { resize: 256, interpolation: 'bicubic', crop: { height: 224, width: 224 } });
const input = new ort.Tensor('float32', toPlanes(pixels, 1), [1, 3, 224, 224]);
const outputs = await session.run({ [session.inputNames[0] ?? 'input']: input });
const logits = Array.from(outputs[session.outputNames[0] ?? 'logits']?.data ?? []);
console.log(`label ${logits.indexOf(Math.max(...logits))}`);
printPeak();
process.exit(0);
