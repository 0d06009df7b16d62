/**
 * `node tools/src/mutate-checkpoints.ts DIR [--cases N] [--seed S] [--from K] [--whole]`: mutates every checkpoint under a folder
 * of golden vectors (small ones made from them, or with `--whole` the files themselves) and reads the result. Prints the
 * outcomes, every 100,000 cases where it stands (go on there with `--from`), each fault with its case, and
 * `N checked, N different`; exit code 1 if the reader crashed, hung, threw without a code or read a changed tensor.
 */
import { parseArgs } from 'node:util';
import { prepare, runCase } from './mutate/check.js';
import { readSamples } from './mutate/samples.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cases: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '0' },
    whole: { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
const cases = Number(values.cases);
const seed = Number(values.seed);
const from = Number(values.from);
if (folder === undefined || !(cases > 0) || !Number.isInteger(seed) || !(from >= 0)) {
  console.error('usage: mutate-checkpoints.ts DIR [--cases N] [--seed S] [--from K] [--whole]');
  process.exit(2);
}
const samples = readSamples(folder);
const prepared = prepare(values.whole ? samples.whole : samples.small);
const outcomes = new Map<string, number>();
let faults = 0;
let slowest = 0;
for (let index = from; index < from + cases; index += 1) {
  const result = runCase(prepared, seed, index);
  const key = `${result.kind} ${result.outcome}`;
  outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
  slowest = Math.max(slowest, result.milliseconds);
  if (result.fault !== undefined) {
    faults += 1;
    if (faults <= 20)
      console.log(`DIFFERENT case ${index} of seed ${seed}, ${result.sample}, ${result.kind}: ${result.fault}`);
  }
  if ((index + 1) % 100_000 === 0) console.log(`${index + 1} done, ${faults} different`);
}
for (const [key, count] of [...outcomes].sort()) console.log(`${key}: ${count}`);
console.log(`${prepared.length} samples, slowest case ${slowest.toFixed(1)} ms`);
console.log(`${cases} checked, ${faults} different`);
process.exitCode = faults === 0 && prepared.length > 0 ? 0 : 1;
