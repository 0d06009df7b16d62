/**
 * `pnpm vectors DIR [--backend reference|cpu|webgpu|webgpu-plain] [--threads N] [--batch N]`: recomputes golden vectors of the original I-ViT code. DIR holds
 * `ops/` and model folders, or is one of them. Models run on the backend of that name (the reference backend if none is
 * given), with every value kept and with the output alone; the vectors of `ops/` use no backend and are checked with the
 * reference backend only. Prints what was covered, what was not and why, and `N checked, N different`; exit code 1 if
 * anything differs, nothing was checked or DIR cannot be read, 2 for wrong usage.
 */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { comparisonsOf, readGolden, runGolden } from './vectors/golden.js';
import { checkOpVectors } from './vectors/ops.js';
import { folderAt } from './vectors/read-folder.js';
import { createTally } from './vectors/tally.js';
import { createEveryBackend, EVERY_BACKEND, type EveryBackend } from './webgpu/every-backend.js';

const USAGE = `usage: pnpm vectors DIR [--backend ${EVERY_BACKEND.join('|')}] [--threads N] [--batch N]`;

function usage(): never {
  console.error(USAGE);
  process.exit(2);
}

interface Arguments {
  readonly directory: string;
  readonly backend: EveryBackend;
  readonly threads: number;
  /** Images run at once. */
  readonly batch: number;
}

function readArguments(): Arguments {
  try {
    const { values, positionals } = parseArgs({
      args: process.argv.slice(2).filter((argument) => argument !== '--'),
      allowPositionals: true,
      options: {
        backend: { type: 'string', default: 'reference' },
        threads: { type: 'string', default: '1' },
        batch: { type: 'string', default: '4' },
      },
    });
    const [directory, ...extra] = positionals;
    const backend = EVERY_BACKEND.find((name) => name === values.backend);
    const threads = Number(values.threads);
    const batch = Number(values.batch);
    if (directory === undefined || extra.length > 0 || backend === undefined || !(threads >= 1 && batch >= 1)) usage();
    return { directory, backend, threads, batch };
  } catch {
    return usage();
  }
}

const { directory, backend: backendName, threads, batch } = readArguments();
const backend = await createEveryBackend(backendName, threads);
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
    const sources = await readGolden(folderAt(folder));
    if (typeof sources === 'string') {
      console.log(`${name}: NOT COVERED, ${sources}`);
      return;
    }
    for (const source of sources) {
      const run = await runGolden(backend, source, batch, () => createHash('sha256'));
      for (const { what, difference } of comparisonsOf(source)) tally.check(what, difference(run));
    }
    covered();
    return;
  }
  const ops = opFiles(folder);
  if (ops.length > 0 && backendName !== 'reference') {
    console.log(`${name}: left to the reference backend`);
    return;
  }
  for (const op of ops) {
    if (!checkOpVectors(folder, op, tally)) console.log(`${name}/${op}: NOT COVERED, no check for this op`);
  }
  if (ops.length > 0) covered();
  const folders = readdirSync(folder).filter((entry) => statSync(join(folder, entry)).isDirectory());
  for (const entry of folders.sort()) await visit(join(folder, entry), entry);
  if (ops.length === 0 && folders.length === 0) console.log(`${name}: NOT COVERED, no vectors of a known layout`);
}

if (backendName === 'cpu') {
  const probe = await backend.probe();
  const running = probe.available ? `${probe.threads} thread(s)` : probe.reason;
  tally.check('threads', running === `${threads} thread(s)` ? undefined : `${running} instead of ${threads}`);
}
try {
  await visit(directory, basename(directory));
} catch (error) {
  tally.check(directory, error instanceof Error ? error.message : String(error));
}
console.log(`${tally.checked} checked, ${tally.different} different`);
process.exitCode = tally.different === 0 && tally.checked > 0 ? 0 : 1;
