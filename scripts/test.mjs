/**
 * `npm test`: installs, builds and checks everything that Node alone can check. Needs Node 20.19 or newer and npm.
 * With IVIT_TEST_REPORT=FILE the counts are also written there as JSON.
 */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pnpm, pnpmKept, ROOT, requireNode } from './pnpm.mjs';

requireNode();
const reports = mkdtempSync(join(tmpdir(), 'ivit-test-'));
const vitestReport = join(reports, 'vitest.json');

/** One after the other: each needs what the one before made. */
const preparation = [
  ['install', ['install', '--frozen-lockfile', '--prefer-offline']],
  ['build', ['run', 'build']],
];
/** One after the other, beside the tests: each has a core at most. */
const checks = [
  ['lint', ['run', 'lint']],
  ['types', ['run', 'typecheck']],
  ['packages', ['run', 'check:packages']],
];
const tests = [
  'exec',
  'vitest',
  'run',
  '--testTimeout=180000',
  '--hookTimeout=180000',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${vitestReport}`,
];

const results = [];

/** Notes how the step `name` went, a function that resolves to an exit code; resolves to whether it passed. */
async function step(name, run) {
  const started = performance.now();
  const code = await run();
  results.push({ name, passed: code === 0, seconds: (performance.now() - started) / 1000 });
  return code === 0;
}

const heading = (name, args) => `\n== ${name}: pnpm ${args[0]} ${args[1]}`;

async function shown(name, args) {
  console.log(heading(name, args));
  return await step(name, () => pnpm(args));
}

/** What it prints comes in one piece, when it ends. */
async function beside(name, args) {
  return await step(name, async () => {
    const { code, text } = await pnpmKept(args);
    console.log(`${heading(name, args)}\n${text}`);
    return code;
  });
}

async function prepared() {
  for (const [name, args] of preparation) {
    // Without its dependencies nothing else can say anything true.
    if (!(await shown(name, args)) && name === 'install') return false;
  }
  return true;
}

async function checked() {
  for (const [name, args] of checks) await beside(name, args);
}

if (await prepared()) await Promise.all([shown('tests', tests), checked()]);

const counts = { passed: 0, failed: 0, skipped: 0 };
if (existsSync(vitestReport)) {
  const report = JSON.parse(readFileSync(vitestReport, 'utf8'));
  counts.passed = report.numPassedTests;
  counts.failed = report.numFailedTests;
  counts.skipped = report.numPendingTests + report.numTodoTests;
}
rmSync(reports, { recursive: true, force: true });

const failedSteps = results.filter((result) => !result.passed).map((result) => result.name);
console.log('\n== summary');
for (const { name, passed, seconds } of results)
  console.log(`${passed ? 'ok    ' : 'FAILED'} ${name} (${seconds.toFixed(1)} s)`);
console.log(`tests: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
if (!existsSync(join(ROOT, '../shared')))
  console.log('../shared is not there: tests that need its weights and photos were skipped.');
console.log(
  '.ci/run checks further: numpy (integer programs) and Pillow (pixels) as oracles, Node 24, Chromium, the demo.',
);
if (process.env.IVIT_TEST_REPORT) {
  writeFileSync(process.env.IVIT_TEST_REPORT, `${JSON.stringify({ ...counts, failedSteps })}\n`);
}
// A run in which nothing was tested has not passed.
process.exitCode = failedSteps.length === 0 && counts.failed === 0 && counts.passed > 0 ? 0 : 1;
