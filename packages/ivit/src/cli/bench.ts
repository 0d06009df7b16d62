import type { Backend } from '@ivit/backend';
import { IvitError, throwIfAborted } from '@ivit/program';
import { createModel, type PreparedImage } from '@ivit/runtime';
import { defaultBackends } from '../default-backends.js';
import { readModel } from '../model-source.js';
import { BUNDLED_PHOTO } from '../photos.js';
import { readBytes } from '../read-bytes.js';
import { MAX_THREADS, namedBackends } from './backend-options.js';
import { hubOptions } from './hub-options.js';
import type { Io } from './io.js';
import { looksLikeModel } from './model-argument.js';
import { createProgressLine, showLoading } from './progress.js';
import { readValidated } from './read-validated.js';
import { failUsage, integerOption, parseCommand } from './usage.js';

/** One thing that is measured: a backend with a number of threads. */
interface Entrant {
  readonly backend: Backend;
  readonly device: string;
  readonly threads: number;
}

/** Milliseconds, one per round. */
interface Times {
  /** From the file's bytes to a model that passed its self-check. */
  readonly load: number[];
  /** From a photo's bytes to its label, the first of a model. */
  readonly first: number[];
  /** The same for a photo of a later batch: the batch's time divided by its size. */
  readonly label: number[];
  /** As `label`, without decoding and resizing. */
  readonly run: number[];
}

type Phase = keyof Times;
const PHASES: readonly Phase[] = ['load', 'first', 'label', 'run'];

interface Row {
  readonly backend: string;
  readonly variant: string;
  readonly device: string;
  readonly threads: number;
  readonly milliseconds: Readonly<Record<Phase, { readonly min: number; readonly median: number }>>;
}

interface Job {
  readonly bytes: Uint8Array;
  readonly where: string;
  readonly photo: Uint8Array;
  readonly batch: number;
  readonly signal: AbortSignal;
}

interface Seen {
  readonly models: Set<string>;
  readonly receipts: Set<string>;
  variant: string;
}

async function timed<T>(into: number[], share: number, work: () => Promise<T>): Promise<T> {
  const started = performance.now();
  const result = await work();
  into.push((performance.now() - started) / share);
  return result;
}

/** One round of one entrant. */
async function measure(job: Job, { backend }: Entrant, times: Times, seen: Seen): Promise<void> {
  const { bytes, where, photo, batch, signal } = job;
  const load = { program: bytes, where, backends: [backend], maxBatch: batch, signal };
  const model = await timed(times.load, 1, () => createModel(load));
  try {
    seen.variant = model.info.backend.variant;
    await timed(times.first, 1, () => model.classify(photo, { signal }));
    const photos = new Array<Uint8Array>(batch).fill(photo);
    await timed(times.label, batch, () => model.classify(photos, { signal }));
    const prepared = new Array<PreparedImage>(batch).fill(await model.prepare(photo, { signal }));
    const results = await timed(times.run, batch, () => model.run(prepared, { signal }));
    seen.models.add(model.info.model);
    for (const { receipt } of results) seen.receipts.add(JSON.stringify(receipt));
  } finally {
    await model.dispose();
  }
}

function summary(values: readonly number[]): { readonly min: number; readonly median: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper;
  return { min: sorted[0] ?? Number.NaN, median: (lower + upper) / 2 };
}

/** Every backend that is available, once per number of threads that it takes. */
async function entrants(threads: readonly number[], name: string | undefined): Promise<Entrant[]> {
  const found: Entrant[] = [];
  for (const count of threads.length === 0 ? [undefined] : threads) {
    for (const backend of namedBackends(await defaultBackends(count === undefined ? {} : { threads: count }), name)) {
      const probe = await backend.probe();
      if (!probe.available) continue;
      // One without threads is the same however many are asked for.
      if (found.some((one) => one.backend.name === backend.name && one.threads === probe.threads)) continue;
      found.push({ backend, device: probe.device, threads: probe.threads });
    }
  }
  if (found.length === 0)
    throw new IvitError('E_NO_BACKEND', 'No backend is available here', { hint: 'See ivit doctor.' });
  return found;
}

/** `1,2,4`. @throws E_USAGE */
function threadList(text: string | undefined): readonly number[] {
  const parts = text?.split(',') ?? [];
  return parts.map((part) => integerOption(part, 'threads', { from: 1, to: MAX_THREADS }) ?? 1);
}

function table(rows: readonly Row[]): string {
  const cells = rows.map(({ backend, threads, milliseconds }) => [
    `${backend}, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    ...PHASES.map((phase) => `${milliseconds[phase].min.toFixed(1)} / ${milliseconds[phase].median.toFixed(1)}`),
  ]);
  const lines = [['ms, min / median', ...PHASES], ...cells];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  return `${text.join('\n')}\n`;
}

/** `ivit bench [MODEL] [PHOTO]`: measures, asserts nothing. */
export async function bench(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    backend: { type: 'string' },
    threads: { type: 'string' },
    batch: { type: 'string' },
    rounds: { type: 'string' },
  });
  const [first, ...others] = positionals;
  const [source, photos] =
    first !== undefined && looksLikeModel(first) ? [first, others] : (['builtin', positionals] as const);
  if (photos.length > 1) failUsage('bench takes one model and one photo at most');
  const batch = integerOption(values.batch, 'batch', { from: 1, to: 1024 }) ?? 1;
  const rounds = integerOption(values.rounds, 'rounds', { from: 1, to: 1000 }) ?? 5;
  const threads = threadList(values.threads);
  const { signal } = io;
  const line = createProgressLine(io, values.quiet ?? false);
  try {
    const options = { hub: hubOptions(values, io), signal, onProgress: showLoading(line) };
    const file = await readModel(source, options);
    // Refused here, by name, if it is no program.
    readValidated(file);
    const photo = await readBytes(photos[0] ?? BUNDLED_PHOTO, { signal });
    const job: Job = { bytes: file.bytes, where: file.where, photo, batch, signal };
    const runners = (await entrants(threads, values.backend)).map((entrant) => ({
      entrant,
      times: { load: [], first: [], label: [], run: [] },
      seen: { models: new Set<string>(), receipts: new Set<string>(), variant: '' },
    }));
    for (let round = 0; round < rounds; round += 1) {
      for (const { entrant, times, seen } of runners) {
        throwIfAborted(signal);
        line.update(`round ${round + 1} of ${rounds}: ${entrant.backend.name}`);
        await measure(job, entrant, times, seen);
      }
    }
    line.clear();
    report(io, values.json ?? false, {
      model: [...new Set(runners.flatMap(({ seen }) => [...seen.models]))].join(' '),
      batch,
      rounds,
      receipts: [...new Set(runners.flatMap(({ seen }) => [...seen.receipts]))],
      rows: runners.map(({ entrant, times, seen }) => ({
        backend: entrant.backend.name,
        variant: seen.variant,
        device: entrant.device,
        threads: entrant.threads,
        milliseconds: {
          load: summary(times.load),
          first: summary(times.first),
          label: summary(times.label),
          run: summary(times.run),
        },
      })),
    });
  } finally {
    line.clear();
  }
  return 0;
}

interface Measured {
  readonly model: string;
  readonly batch: number;
  readonly rounds: number;
  readonly receipts: readonly string[];
  readonly rows: readonly Row[];
}

function report(io: Io, json: boolean, measured: Measured): void {
  const { receipts, rows, ...rest } = measured;
  const receiptsEqual = receipts.length === 1;
  if (json) {
    const parsed: unknown[] = receipts.map((receipt) => JSON.parse(receipt));
    io.out(`${JSON.stringify({ ...rest, receiptsEqual, receipts: parsed, results: rows }, undefined, 2)}\n`);
    return;
  }
  io.out(table(rows));
  io.out(`model       ${rest.model}\n`);
  io.out(`batch       ${rest.batch}, rounds ${rest.rounds}, interleaved\n`);
  io.out(`receipts    ${receiptsEqual ? 'equal' : `DIFFERENT: ${receipts.join(' ')}`}\n`);
}
