/**
 * `pnpm ablation [--model NAME] [--rounds N] [--cache DIR] [--out DIR]`: every recipe step on every model of
 * `../shared/models`, from plain I-ViT to the best recipe, as a table (`ablation.md`), JSON and an SVG plot. A finished
 * step is kept in the cache folder and taken from there until the sources of the quantizer change: an interrupted run goes
 * on where it stopped. Exit code 0, 1 (failed) or 2 (usage).
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { IvitError } from '@ivit/program';
import { MATERIALS, type Material } from './ablation/material.js';
import { plotOf } from './ablation/plot.js';
import { type AblationReport, type ModelReport, pageOf } from './ablation/report.js';
import { type FinishedStep, runStep } from './ablation/run-step.js';
import { STEPS } from './ablation/steps.js';
import { timePrograms } from './ablation/times.js';
import { createBackend } from './bench/backend.js';
import { hasShared, ROOT } from './bench/places.js';

const USAGE = 'usage: pnpm ablation [--model NAME] [--rounds N] [--cache DIR] [--out DIR]';
const CACHE = join(ROOT, 'node_modules', '.cache', 'ivit-ablation');
/** Packages whose sources decide a step's integers. */
const QUANTIZER = ['quantize', 'models', 'nonlinear', 'dyadic'];

interface Arguments {
  readonly models: readonly string[];
  readonly rounds: number;
  readonly cache: string;
  readonly out: string;
}

function readArguments(): Arguments {
  const { values } = parseArgs({
    args: process.argv.slice(2).filter((argument) => argument !== '--'),
    options: {
      model: { type: 'string' },
      rounds: { type: 'string', default: '30' },
      cache: { type: 'string', default: CACHE },
      out: { type: 'string', default: join(ROOT, 'docs', 'measurements') },
    },
  });
  const known = Object.keys(MATERIALS);
  const { model, cache, out } = values;
  const rounds = Number(values.rounds);
  if (model !== undefined && !known.includes(model)) {
    throw new IvitError('E_USAGE', `--model: ${known.join(' or ')}\n${USAGE}`);
  }
  if (!Number.isInteger(rounds) || rounds < 1) throw new IvitError('E_USAGE', `--rounds: at least 1\n${USAGE}`);
  return { models: model === undefined ? known : [model], rounds, cache, out };
}

/** sha256 (hex) of the quantizer's sources, tests left out. */
function codeDigest(): string {
  const hash = createHash('sha256');
  for (const name of QUANTIZER) {
    const folder = join(ROOT, 'packages', name, 'src');
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.ts$/.test(file) && !/(\.test\.ts|^testing)/.test(file))
      .sort();
    for (const file of files) hash.update(`${file}\0`).update(readFileSync(join(folder, file)));
  }
  return hash.digest('hex');
}

async function ablate(material: Material, { rounds, cache }: Arguments, code: string): Promise<ModelReport> {
  const backend = await createBackend('cpu', 1);
  const finished: FinishedStep[] = [];
  for (const step of STEPS) {
    const one = await runStep(backend, step, material, cache, code);
    finished.push(one);
    const { sqnr, agreement } = one.result.metrics;
    console.error(`${material.name} ${step.id}: ${sqnr.value.toFixed(2)} dB, ${(100 * agreement.value).toFixed(1)} %`);
  }
  const base = finished.findIndex(({ result }) => result.recipe === 'ptq@1');
  const pixels = material.photos[0]?.pixels ?? new Uint8Array();
  const files = finished.map(({ file }) => file);
  const times = await timePrograms(backend, files, pixels, base, rounds);
  const rows = finished.flatMap(({ result }, index) => {
    const time = times[index];
    return time === undefined ? [] : [{ ...result, time }];
  });
  return { model: material.name, about: material.about, rows };
}

async function main(): Promise<void> {
  const choice = readArguments();
  if (!hasShared()) {
    console.log(`${choice.models.length} models skipped: ../shared is missing`);
    return;
  }
  const code = codeDigest();
  const models: ModelReport[] = [];
  for (const name of choice.models) {
    const material = await MATERIALS[name]?.();
    if (material !== undefined) models.push(await ablate(material, choice, code));
  }
  const date = new Date().toISOString().slice(0, 10);
  const machine = `Node ${process.versions.node}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? 'unknown'})`;
  const report: AblationReport = { date, machine, models };
  mkdirSync(choice.out, { recursive: true });
  writeFileSync(join(choice.out, 'ablation.json'), `${JSON.stringify(report, undefined, 1)}\n`);
  writeFileSync(join(choice.out, 'ablation.svg'), plotOf(models));
  writeFileSync(join(choice.out, 'ablation.md'), pageOf(report));
  console.log(pageOf(report));
}

try {
  await main();
} catch (error) {
  const usage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const code = IvitError.isInstance(error) ? error.code : usage ? 'E_USAGE' : 'E_ABLATION';
  console.error(`${code}: ${error instanceof Error ? error.message : String(error)}${usage ? `\n${USAGE}` : ''}`);
  process.exitCode = code === 'E_USAGE' ? 2 : 1;
}
