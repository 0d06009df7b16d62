/**
 * `pnpm vectors DIR`: recomputes golden vectors of the original I-ViT code. DIR holds `ops/` and model folders, or is one
 * of them. Prints what was covered, what was not and why, and `N checked, N different`; exit code 1 if anything differs,
 * nothing was checked or DIR cannot be read, 2 for wrong usage.
 */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { checkModelFolder } from './vectors/models.js';
import { checkOpVectors } from './vectors/ops.js';
import { createTally } from './vectors/tally.js';

const [directory, ...extra] = process.argv.slice(2).filter((argument) => argument !== '--');
if (directory === undefined || extra.length > 0) {
  console.error('usage: pnpm vectors DIR');
  process.exit(2);
}

const tally = createTally((line) => console.log(line));

function opFiles(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && existsSync(join(folder, name.replace(/json$/, 'safetensors'))))
    .map((name) => basename(name, '.json'))
    .sort();
}

async function visit(folder: string, name: string): Promise<void> {
  const before = tally.checked;
  const covered = (): void => console.log(`${name}: ${tally.checked - before} checked`);
  if (existsSync(join(folder, 'config.json'))) {
    const reason = await checkModelFolder(folder, tally);
    if (reason === undefined) covered();
    else console.log(`${name}: NOT COVERED, ${reason}`);
    return;
  }
  const ops = opFiles(folder);
  for (const op of ops) {
    if (!checkOpVectors(folder, op, tally)) console.log(`${name}/${op}: NOT COVERED, no check for this op`);
  }
  if (ops.length > 0) covered();
  const folders = readdirSync(folder).filter((entry) => statSync(join(folder, entry)).isDirectory());
  for (const entry of folders.sort()) await visit(join(folder, entry), entry);
  if (ops.length === 0 && folders.length === 0) console.log(`${name}: NOT COVERED, no vectors of a known layout`);
}

try {
  await visit(directory, basename(directory));
} catch (error) {
  tally.check(directory, error instanceof Error ? error.message : String(error));
}
console.log(`${tally.checked} checked, ${tally.different} different`);
process.exitCode = tally.different === 0 && tally.checked > 0 ? 0 : 1;
