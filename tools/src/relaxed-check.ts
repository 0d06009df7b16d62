/**
 * `relaxed-check`: the relaxed-SIMD product of the CPU backend on this machine.
 *
 * 1. The probe's verdict on each meaning of the instruction is that of brute force over all pairs of int8 that it allows.
 * 2. Packing and indexing: each meaning, forced, on operands that every machine multiplies alike; and on all of int8 in the
 *    meaning that is exact here, if one is.
 * 3. Whole programs with the kernel forced, on one thread and two: every value is the reference backend's.
 * 4. A worker without the relaxed module beside one that has it: a coded error, never two kernels in one run.
 *
 * Ends with `N checked, N different`; exit code 1 on a difference, or where the engine has no relaxed SIMD.
 */

import { kernelBytes, type MemoryKind, relaxedKernelBytes } from '@ivit/backend-cpu';
import {
  createCpuBackendWith,
  createTrial,
  isExact,
  MEANINGS,
  type ProductTrial,
  probeProducts,
  selectProduct,
} from '@ivit/backend-cpu/~internal';
import { createReferenceBackend } from '@ivit/backend-reference';
import { reportDifferences } from './conformance/compare.js';
import { countWrong, countWrongPairs, makeBytes, plainOperand, plainSums, sizedProducts } from './relaxed/products.js';
import { restrictedProgram } from './relaxed/programs.js';
import { runUnequally } from './relaxed/unequal-workers.js';

/** Of the memory that products are tried in. */
const PAGES = 16;

const expected: Record<string, string> = {};
const found: Record<string, string> = {};

function note(name: string, want: string, got: string): void {
  expected[name] = want;
  found[name] = got;
}

async function trialOf(kind: MemoryKind): Promise<ProductTrial> {
  const main = await WebAssembly.compile(kernelBytes(kind));
  return createTrial({ main, relaxed: await WebAssembly.compile(relaxedKernelBytes(kind)) }, kind, PAGES);
}

function checkProducts(kind: MemoryKind, trial: ProductTrial): void {
  const choice = selectProduct(trial, () => performance.now());
  let verdict = 'inexact';
  for (const { relaxed: meaning, verdict: name } of MEANINGS) {
    const { sums, wrong } = countWrongPairs(trial, meaning);
    if (wrong === 0 && verdict === 'inexact') verdict = name;
    console.log(`${kind}: all pairs, ${name}: ${wrong} of ${sums} sums differ from the integer sum`);
    note(`${kind}: probe, ${name}`, String(wrong === 0), String(isExact(trial, probeProducts(meaning.least), meaning)));
    const operands = [{ name: 'restricted', of: (bytes: Uint8Array) => plainOperand(bytes, meaning) }];
    if (wrong === 0) operands.push({ name: 'all of int8', of: (bytes) => new Int8Array(bytes.buffer as ArrayBuffer) });
    for (const { name: operand, of } of operands) {
      for (const product of sizedProducts(of, meaning.least)) {
        const differing = countWrong(trial, product, meaning, plainSums(product));
        note(`${kind}: ${name}, ${operand}, ${product.name}`, '0 wrong', `${differing} wrong`);
      }
    }
  }
  note(`${kind}: verdict`, verdict, choice.verdict ?? 'none');
  console.log(
    `${kind}: chosen ${choice.relaxed === undefined ? 'int16' : 'relaxed'}, ${JSON.stringify(choice.race ?? {})}`,
  );
}

async function checkPrograms(threads: number): Promise<void> {
  for (const forced of MEANINGS) {
    for (const rows of [1, 7, 13, 30]) {
      for (const width of [16, 24, 40, 67, 128]) {
        const program = restrictedProgram(rows, width, forced.relaxed);
        const options = { outputs: Object.keys(program.values) };
        const own = await createCpuBackendWith({ threads }, () => forced).compile(program, options);
        const reference = await createReferenceBackend().compile(program, options);
        const pixels = makeBytes(rows * width, 17);
        const [got, want] = [await own.run(pixels, { batch: 1 }), await reference.run(pixels, { batch: 1 })];
        const name = `program ${rows}x${width}, ${forced.verdict}, ${threads} thread(s)`;
        note(`${name}: variant`, `wasm-relaxed-simd${threads > 1 ? '-threads' : ''}`, own.info.variant);
        for (const value of options.outputs) {
          note(`${name}: ${value}`, String(want[value]?.data), String(got[value]?.data));
        }
        await own.dispose();
        await reference.dispose();
      }
    }
  }
}

if (WebAssembly.validate(relaxedKernelBytes('unshared'))) {
  for (const kind of ['unshared', 'shared'] as const) checkProducts(kind, await trialOf(kind));
  for (const threads of [1, 2]) await checkPrograms(threads);
  // Which worker takes a unit first is chance; one of the two lacking it must never go unseen as a wrong value.
  note('both workers have the module', 'right', await runUnequally(2, { flip: 0, least: -128 }));
  for (const lesser of [0, 1]) {
    const ended = await runUnequally(lesser, { flip: 0, least: -128 });
    console.log(`worker ${lesser} lacks the module: ${ended}`);
    note(
      `worker ${lesser} lacks the module`,
      'code or right',
      /^(E_DEVICE_LOST|right)$/.test(ended) ? 'code or right' : ended,
    );
  }
} else {
  note('relaxed SIMD', 'validated', `refused by Node ${process.version}`);
}
console.log(`Node ${process.version}, ${process.arch}`);
process.exitCode = reportDifferences(expected, found, (line) => console.log(line.slice(0, 300)));
