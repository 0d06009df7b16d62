/**
 * Walks both builds of the CPU backend's WebAssembly modules, opcode by opcode, and proves that they hold no float. Prints what
 * was walked and `N checked, N different`; exit code 1 on a problem.
 */
import { kernelBytes, relaxedKernelBytes } from '@ivit/backend-cpu';
import { checkKernels, checkRelaxedKernels } from './wasm/check.js';

const reports = [...checkKernels(kernelBytes), ...checkRelaxedKernels(relaxedKernelBytes)];
const NAMES = ['unshared memory', 'shared memory', '', 'relaxed, unshared memory', 'relaxed, shared memory'];
for (const [index, name] of NAMES.entries()) {
  const report = reports[index];
  if (report === undefined || name === '') continue;
  console.log(`${name}: ${report.functions} functions, ${report.opcodes} opcodes, ${report.types} value types`);
}
const problems = reports.flatMap((report) => report.problems);
for (const problem of problems.slice(0, 20)) console.log(`DIFFERENT ${problem}`);
const checked = reports.reduce((count, report) => count + report.checked, 0);
console.log(`${checked} checked, ${problems.length} different`);
process.exitCode = problems.length === 0 && checked > 0 ? 0 : 1;
