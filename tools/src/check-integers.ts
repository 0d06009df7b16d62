/** `pnpm lint`, second half: the dependency table, import cycles, and no float in the integer packages. */
import { checkRepository } from './repo-check/check.js';

const root = process.argv[2] ?? process.cwd();
const { findings, exceptions, files } = checkRepository(root);
for (const { file, line, reason } of exceptions) console.log(`excused  ${file}:${line}  ${reason}`);
for (const { file, line, rule, message } of findings)
  console.error(`${rule}  ${file}${line === 0 ? '' : `:${line}`}  ${message}`);
console.log(`${files} integer sources, ${exceptions.length} excused lines, ${findings.length} findings`);
process.exitCode = findings.length === 0 && files > 0 ? 0 : 1;
