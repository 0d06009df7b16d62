/**
 * `pnpm verify:sizes [--only TEXT] [--images N] [--json]`: every published size as a program: built, proved free of
 * overflow, run on the reference backend and on the CPU backend with 1 and 2 threads, every logit compared. Weights are
 * seeded, not trained: nothing here says anything about accuracy. One line per model, then `N checked, N different`
 * (models times configurations of the CPU backend). Exit code 0, 1 (different or failed) or 2 (usage).
 */
import { parseArgs } from 'node:util';
import { createCpuBackend } from '@ivit/backend-cpu';
import { createReferenceBackend } from '@ivit/backend-reference';
import { modelId, validate } from '@ivit/program';
import { buildSize } from './sizes/build-size.js';
import { SIZES, type SizeEntry } from './sizes/catalog.js';
import { firstDifference, logitsDigest, logitsOf, seededImages } from './sizes/compare-backends.js';

const THREADS = [1, 2];

interface SizeResult {
  readonly name: string;
  readonly also: readonly string[];
  readonly made: SizeEntry['made'];
  readonly model: string;
  readonly ops: number;
  readonly gigaMacs: number;
  readonly megabytes: number;
  /** Bits of the largest numerator of any requantization; 52 is what doubles hold. */
  readonly numeratorBits: number;
  readonly logits: string;
  readonly distinct: number;
  readonly different: readonly string[];
  readonly seconds: { readonly build: number; readonly reference: number; readonly cpu: readonly number[] };
}

async function verify(entry: SizeEntry, images: number): Promise<SizeResult> {
  const started = performance.now();
  const program = validate(await buildSize(entry));
  const build = (performance.now() - started) / 1000;
  const pixels = seededImages(program, 1, images);
  const truth = await logitsOf('reference', createReferenceBackend(), program, pixels, images);
  const different: string[] = [];
  const cpu: number[] = [];
  for (const threads of THREADS) {
    const fast = await logitsOf('cpu', createCpuBackend({ threads }), program, pixels, images);
    cpu.push(fast.runMs / 1000);
    const at = firstDifference(truth.logits, fast.logits);
    if (at !== undefined) {
      different.push(`cpu, ${threads} threads: logit ${at} is ${fast.logits[at]}, expected ${truth.logits[at]}`);
    }
  }
  const distinct = new Set(truth.logits).size;
  // Logits that hardly differ from each other would agree whatever went wrong.
  if (distinct * 2 < truth.logits.length) different.push(`only ${distinct} of ${truth.logits.length} logits differ`);
  return {
    name: entry.name,
    also: entry.also ?? [],
    made: entry.made,
    model: modelId(program),
    ops: program.ops.length,
    gigaMacs: program.facts.macs / 1e9,
    megabytes: program.facts.constantBytes / 1e6,
    numeratorBits: Math.max(...Object.values(program.facts.numeratorBits)),
    logits: logitsDigest(truth.logits),
    distinct,
    different,
    seconds: { build, reference: truth.runMs / 1000, cpu },
  };
}

function describe(result: SizeResult): string {
  const { build, reference, cpu } = result.seconds;
  return [
    `${result.name}: ${result.made}, model ${result.model.slice(0, 12)}, ${result.ops} ops`,
    `${result.gigaMacs.toFixed(2)} GMAC, ${result.megabytes.toFixed(1)} MB, numerators ≤ ${result.numeratorBits} bits`,
    `logits ${result.logits.slice(0, 12)}`,
    `build ${build.toFixed(1)} s, reference ${reference.toFixed(1)} s, cpu ${cpu.map((s) => s.toFixed(2)).join(' and ')} s`,
    result.different.length === 0 ? 'equal' : `DIFFERENT: ${result.different.join('; ')}`,
  ].join('; ');
}

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    images: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const images = Number(values.images);
const chosen = SIZES.filter((entry) => entry.name.includes(values.only ?? ''));
if (!Number.isInteger(images) || images < 1 || chosen.length === 0) {
  console.error('usage: verify:sizes [--only TEXT] [--images N] [--json]');
  process.exit(2);
}
const results: SizeResult[] = [];
let failed = 0;
for (const entry of chosen) {
  try {
    const result = await verify(entry, images);
    results.push(result);
    if (!values.json) console.log(describe(result));
  } catch (error) {
    // The other sizes still say what they have to say.
    failed += 1;
    console.error(`${entry.name}: FAILED: ${String(error)}`);
  }
}
if (values.json) console.log(JSON.stringify(results, undefined, 2));
const different = results.reduce((sum, result) => sum + Math.min(result.different.length, THREADS.length), 0);
console.log(`${chosen.length * THREADS.length} checked, ${different + failed * THREADS.length} different`);
process.exitCode = different + failed === 0 ? 0 : 1;
