/**
 * Quantizes a small seeded model and compares every byte with what it was on other machines and Node versions.
 * Prints `N checked, N different`; exit code 1 on a difference.
 */
import { EXPECTED } from './determinism/expected.js';
import { measureDeterminism } from './determinism/measure.js';

const found = await measureDeterminism();
const names = [...new Set([...Object.keys(EXPECTED), ...Object.keys(found)])];
const different = names.filter((name) => found[name] !== EXPECTED[name]);
for (const name of different) console.log(`DIFFERENT ${name}: ${found[name]} instead of ${EXPECTED[name]}`);
console.log(`Node ${process.version}, ${process.arch}`);
console.log(`${names.length} checked, ${different.length} different`);
process.exitCode = different.length === 0 ? 0 : 1;
