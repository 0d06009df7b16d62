import { join, resolve } from 'node:path';
import type { Backend } from '@ivit/backend';
import { writeProgram } from '@ivit/formats/program';
import { modelId, throwIfAborted } from '@ivit/program';
import { parseNonlinear, type QuantizeResult, type Recipe } from '@ivit/quantize';
import { defaultCacheFolder } from '../node/cache-folder.js';
import { folderCache } from '../node/calibration-cache.js';
import { type OutputFile, openOutput } from '../node/output-file.js';
import { type QuantizeChoices, quantizeFiles } from '../quantize-files.js';
import { BACKEND_OPTIONS, backendsOf, firstAvailable } from './backend-options.js';
import { photoFolder } from './calibration-photos.js';
import { hubOptions } from './hub-options.js';
import type { Io } from './io.js';
import { readModelFolder } from './model-folder.js';
import { createProgressLine, type ProgressLine, showLoading } from './progress.js';
import { failUsage, integerOption, maxPixels, parseCommand } from './usage.js';
import { readSizeBudget, readWeightBits } from './weight-options.js';

const RECIPES: readonly Recipe[] = ['ptq@1', 'accurate@1', 'accurate@2', 'paper@1'];

interface Job extends QuantizeChoices {
  readonly source: string;
  readonly calibrate: string;
  readonly hub: ReturnType<typeof hubOptions>;
  /** Runs the quantized stream; the self-check is recorded by the reference backend. */
  readonly backend: Backend;
}

async function makeProgram(job: Job, line: ProgressLine, signal: AbortSignal): Promise<QuantizeResult> {
  const { source, calibrate, hub, ...rest } = job;
  const folder = await readModelFolder(source, { hub, signal, onProgress: showLoading(line) });
  const { cache } = hub;
  const store = cache === false ? undefined : folderCache(join(cache ?? defaultCacheFolder(), 'quantize'));
  const result = await quantizeFiles({
    ...rest,
    folder,
    photos: await photoFolder(calibrate),
    cache: store,
    signal,
    onProgress: ({ stage, done, total }) => (total === 0 ? line.update(stage) : line.update(stage, done, total)),
  });
  await store?.prune();
  return result;
}

/** `ivit quantize MODEL_DIR|hf:owner/name --calibrate DIR -o FILE`. */
export async function quantize(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    calibrate: { type: 'string' },
    output: { type: 'string', short: 'o' },
    recipe: { type: 'string' },
    nonlinear: { type: 'string' },
    'weight-bits': { type: 'string' },
    'size-budget': { type: 'string' },
    count: { type: 'string' },
    seed: { type: 'string' },
    heads: { type: 'string' },
    'unknown-below': { type: 'string' },
    report: { type: 'string' },
    ...BACKEND_OPTIONS,
  });
  const [source, ...others] = positionals;
  const { calibrate, output, report: reportPath } = values;
  if (source === undefined || others.length > 0) failUsage('quantize needs one model');
  if (calibrate === undefined) failUsage('quantize needs --calibrate and a folder of photos');
  if (output === undefined) failUsage('quantize needs -o and a file to write');
  if (reportPath !== undefined && resolve(reportPath) === resolve(output)) failUsage('-o and --report name one file');
  const recipe = RECIPES.find((name) => name === values.recipe);
  if (recipe === undefined && values.recipe !== undefined)
    failUsage(`There is no recipe "${values.recipe}"; there are ${RECIPES.join(', ')}`);
  const job: Job = {
    source,
    calibrate,
    recipe,
    nonlinear: values.nonlinear === undefined ? undefined : parseNonlinear(values.nonlinear),
    weightBits: await readWeightBits(values['weight-bits']),
    sizeBudget: readSizeBudget(values['size-budget']),
    count: integerOption(values.count, 'count', { from: 1, to: 1_000_000 }),
    seed: integerOption(values.seed, 'seed', { from: 0, to: 4294967295 }),
    heads: integerOption(values.heads, 'heads', { from: 1, to: 1024 }),
    maxPixels: maxPixels(values),
    unknownBelow: integerOption(values['unknown-below'], 'unknown-below', { from: 0, to: 65536 }),
    hub: hubOptions(values, io),
    // One thread unless asked for more: hundreds of small programs run, and each would have to start the others' work.
    backend: await firstAvailable(await backendsOf({ ...values, threads: values.threads ?? '1' })),
  };

  const line = createProgressLine(io, values.quiet ?? false);
  const started = performance.now();
  const files: OutputFile[] = [];
  try {
    // Opened before the work: an unwritable folder is known now and not in ten minutes.
    const file = await openOutput(output);
    files.push(file);
    const reportFile = reportPath === undefined ? undefined : await openOutput(reportPath);
    if (reportFile !== undefined) files.push(reportFile);
    const { program, report } = await makeProgram(job, line, io.signal);
    throwIfAborted(io.signal, 'Quantizing');
    const bytes = writeProgram(program);
    await file.commit(bytes);
    await reportFile?.commit(new TextEncoder().encode(`${JSON.stringify(report, undefined, 2)}\n`));
    line.clear();
    const id = modelId(program);
    const seconds = (performance.now() - started) / 1000;
    if (values.json) {
      const { photos, recipeId } = report;
      const answer = { file: output, bytes: bytes.length, model: id, recipe: recipeId, photos, seconds };
      io.out(`${JSON.stringify(answer)}\n`);
    } else {
      io.out(
        `${output}: ${bytes.length} bytes, model ${id}, ${report.recipeId}, ${report.photos} calibration photos\n`,
      );
    }
    return 0;
  } finally {
    line.clear();
    for (const file of files) await file.discard();
  }
}
