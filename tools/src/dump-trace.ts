/**
 * `dump-trace OUT_DIR [--cases N] [--seed S] [FILE…]`: traces for the independent interpreter in tools/oracle.
 * Copies each program file to OUT_DIR with a trace of generated pixels and of noise; adds the seeded models of every
 * recipe, N random programs per op and N random chains of ops.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { CASE_OPS, createRandom, randomChain, randomProgram } from '@ivit/backend-testkit';
import { readProgram, writeProgram } from '@ivit/formats/program';
import { type Program, selfCheckPixels, validate } from '@ivit/program';
import { elementCount } from '@ivit/tensor';
import { seededPrograms } from './determinism/measure.js';
import { traceProgram } from './trace/trace-file.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { cases: { type: 'string', default: '0' }, seed: { type: 'string', default: '1' } },
});
const [folder, ...files] = positionals;
if (folder === undefined) {
  console.error('usage: dump-trace OUT_DIR [--cases N] [--seed S] [FILE…]');
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const random = createRandom(Number(values.seed));

async function dump(name: string, program: Program, bytes: Uint8Array, images: number): Promise<void> {
  const valid = validate(program, { fragment: true });
  const size = elementCount(program.values[program.input]?.shape ?? []);
  const pixels = Array.from({ length: images }, (_, index) => {
    return index === 0
      ? selfCheckPixels(program, random.integer(0, 2 ** 31))
      : Uint8Array.from(random.list(size, 0, 255));
  });
  const trace = await traceProgram(valid, `${name}.safetensors`, pixels);
  writeFileSync(join(folder ?? '.', `${name}.safetensors`), bytes);
  writeFileSync(join(folder ?? '.', `${name}.trace.json`), `${JSON.stringify(trace)}\n`);
}

for (const file of files) {
  const bytes = readFileSync(file);
  await dump(basename(file, '.safetensors'), readProgram(bytes, { where: file }), bytes, 2);
}
const seeded = await seededPrograms();
for (const [recipe, program] of seeded) {
  const bytes = writeProgram(program);
  await dump(`seeded-${recipe.replace('@', '-')}`, readProgram(bytes), bytes, 3);
}
let cases = 0;
for (const kind of [...CASE_OPS, 'chain'] as const) {
  for (let index = 0; index < Number(values.cases); index += 1) {
    const program = kind === 'chain' ? randomChain(random, random.integer(1, 6)) : randomProgram(kind, random);
    // What is traced is what a reader of the file gets.
    const bytes = writeProgram(program);
    await dump(`case-${kind}-${index}`, readProgram(bytes), bytes, 2);
    cases += 1;
  }
}
console.log(`${files.length} files, ${seeded.size} seeded models and ${cases} random programs traced`);
