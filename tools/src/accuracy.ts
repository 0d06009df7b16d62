/**
 * `pnpm accuracy FILE --float MODEL_DIR --images DIR --classes JSON [--json] [--half tune|report] [--threads N]`
 *
 * How much of the float model is left in an integer program file: top-1, top-5, agreement and SQNR of the logits over
 * the photos that the file was not calibrated with. Exit code 0, 1 (failed) or 2 (usage).
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { readProgram } from '@ivit/formats/program';
import { IvitError } from '@ivit/program';
import { type Estimate, type Metrics, measure } from './accuracy/metrics.js';
import { collectPhotos, type Half, readClasses } from './accuracy/photos.js';
import { evaluateAll } from './accuracy/pool.js';

const USAGE =
  'usage: pnpm accuracy FILE --float MODEL_DIR --images DIR --classes JSON [--json] [--half tune|report] [--threads N]';

interface Arguments {
  readonly file: string;
  readonly float: string;
  readonly images: string;
  readonly classes: string;
  readonly json: boolean;
  readonly half: Half | undefined;
  readonly threads: number;
}

function readArguments(): Arguments {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      float: { type: 'string' },
      images: { type: 'string' },
      classes: { type: 'string' },
      json: { type: 'boolean', default: false },
      half: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  });
  const [file, ...extra] = positionals.filter((argument) => argument !== '--');
  const { float, images, classes, json, half } = values;
  const threads = Number(values.threads);
  const complete = file !== undefined && float !== undefined && images !== undefined && classes !== undefined;
  const knownHalf = half === undefined || half === 'tune' || half === 'report';
  if (!complete || extra.length > 0 || !knownHalf || !Number.isInteger(threads) || threads < 1) {
    throw new IvitError('E_USAGE', USAGE);
  }
  return { file, float, images, classes, json, half, threads };
}

function printTable(metrics: Metrics): void {
  const percent = ({ value, error }: Estimate): string => `${(100 * value).toFixed(2)} ± ${(100 * error).toFixed(2)} %`;
  console.log('                   float              integer');
  console.log(`top-1       ${percent(metrics.floatTop1).padStart(16)}   ${percent(metrics.intTop1).padStart(16)}`);
  console.log(`top-5       ${percent(metrics.floatTop5).padStart(16)}   ${percent(metrics.intTop5).padStart(16)}`);
  console.log(`agreement   ${percent(metrics.agreement).padStart(16)}`);
  const { value, error } = metrics.sqnr;
  console.log(`logits SQNR ${value.toFixed(2)} ± ${error.toFixed(2)} dB`);
}

async function main(): Promise<void> {
  const { file, float, images, classes, json, half, threads } = readArguments();
  const program = readProgram(readFileSync(file), { where: file });
  const calibration = program.provenance?.calibration ?? [];
  const set = collectPhotos(images, readClasses(classes), calibration, half);
  const halves = half === undefined ? '' : `, ${set.otherHalf} of the other half left out`;
  console.error(`${set.photos.length} photos; ${set.leftOut} used for calibration left out${halves}`);

  const started = performance.now();
  const scored = await evaluateAll(file, float, set.photos, threads, (done) => {
    if (!process.stderr.isTTY && done % 25 !== 0 && done !== set.photos.length) return;
    const left = ((performance.now() - started) / 1000 / done) * (set.photos.length - done);
    const [start, end] = process.stderr.isTTY ? ['\r', '   '] : ['', '\n'];
    process.stderr.write(`${start}${done} of ${set.photos.length}, ${left.toFixed(0)} s left${end}`);
  });
  if (process.stderr.isTTY) process.stderr.write('\n');

  const metrics = measure(scored);
  if (!json) printTable(metrics);
  console.log(`images ${metrics.images}, left out ${set.leftOut}${halves}`);
  if (json) {
    const plain = Object.entries(metrics).map(([name, figure]: [string, number | Estimate]) => {
      return [name, typeof figure === 'number' ? figure : figure.value];
    });
    const errors = Object.entries(metrics).flatMap(([name, figure]: [string, number | Estimate]) => {
      return typeof figure === 'number' ? [] : [[name, figure.error]];
    });
    console.log(JSON.stringify({ standardErrors: Object.fromEntries(errors), leftOut: set.leftOut }));
    console.log(JSON.stringify(Object.fromEntries(plain)));
  }
}

try {
  await main();
} catch (error) {
  const usage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const code = IvitError.isInstance(error) ? error.code : usage ? 'E_USAGE' : 'E_ACCURACY';
  const text = error instanceof Error ? error.message : String(error);
  console.error(`${code}: ${text}${usage ? `\n${USAGE}` : ''}`);
  process.exitCode = code === 'E_USAGE' ? 2 : 1;
}
