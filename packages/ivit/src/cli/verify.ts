import type { Backend } from '@ivit/backend';
import { IvitError, modelId, throwIfAborted, type ValidatedProgram } from '@ivit/program';
import { preparePixels, type Receipt } from '@ivit/runtime';
import { readModel } from '../model-source.js';
import { readBytes } from '../read-bytes.js';
import { BACKEND_OPTIONS, backendsOf } from './backend-options.js';
import { describeError } from './describe-error.js';
import { hubOptions } from './hub-options.js';
import type { Io } from './io.js';
import { splitArguments } from './model-argument.js';
import { createProgressLine, type ProgressLine, showLoading } from './progress.js';
import { readValidated } from './read-validated.js';
import { maxPixels, parseCommand } from './usage.js';
import { baseOf, closeContest, openContest } from './verify/contestants.js';
import { exitStatus, printReport, type VerifyReport, verdictOf } from './verify/report.js';
import { matchReceipts, readReceipts } from './verify/stored-receipts.js';
import { type PhotoReport, verifyPhoto } from './verify/verify-photo.js';

export interface VerifyJob {
  readonly program: ValidatedProgram;
  readonly backends: readonly Backend[];
  readonly photos: readonly string[];
  /** Of each photo, and the file they are from. */
  readonly stored?: { readonly receipts: readonly Receipt[]; readonly file: string };
  readonly maxPixels?: number;
  readonly signal: AbortSignal;
}

/** The pixels of a photo, or what is wrong with it. */
async function readPixels(file: string, job: VerifyJob): Promise<Uint8Array | PhotoReport> {
  const { program, signal } = job;
  try {
    return await preparePixels(program, await readBytes(file, { signal }), {
      ...{ where: file, signal },
      ...(job.maxPixels === undefined ? {} : { maxPixels: job.maxPixels }),
    });
  } catch (error) {
    throwIfAborted(signal);
    if (!IvitError.isInstance(error)) throw error;
    return { file, values: {}, differences: [], receiptDifferences: [], errors: [describeError(error)] };
  }
}

/** Runs every photo on every backend that can, one photo at a time, and compares. @throws E_ABORTED */
export async function verifyAll(job: VerifyJob, line: Pick<ProgressLine, 'update'>): Promise<VerifyReport> {
  const { program, backends, photos, stored, signal } = job;
  const contest = await openContest(backends, program, signal, (name) => line.update(`compile on ${name}`));
  try {
    const { contestants, standings } = contest;
    const base = baseOf(contestants);
    const comparable = contestants.length > 1 || stored !== undefined;
    const reports: PhotoReport[] = [];
    const located = new Set<string>();
    for (const [index, file] of photos.entries()) {
      if (base === undefined || !comparable) break;
      throwIfAborted(signal);
      line.update('verify', index, photos.length);
      const pixels = await readPixels(file, job);
      if (pixels instanceof Uint8Array) {
        const receipt = stored?.receipts[index];
        reports.push(await verifyPhoto({ program, contestants, base, file, pixels, stored: receipt, signal, located }));
      } else reports.push(pixels);
    }
    const report = {
      model: modelId(program),
      backends: standings,
      base: base?.backend.name,
      receipts: stored?.file,
      photos: reports,
    };
    return { ...report, verdict: verdictOf(report) };
  } finally {
    await closeContest(contest);
  }
}

/** `ivit verify [MODEL] PHOTO… [--receipt FILE]`: 0 if all is equal, 3 if anything differs, 1 if something could not run. */
export async function verify(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseCommand(args, {
    model: { type: 'string' },
    receipt: { type: 'string' },
    ...BACKEND_OPTIONS,
  });
  const [source, photos] = splitArguments('verify', positionals, values.model);
  const largest = maxPixels(values);
  const backends = await backendsOf(values);
  const { signal } = io;
  const line = createProgressLine(io, values.quiet ?? false);
  let report: VerifyReport;
  try {
    const { receipt: file } = values;
    const stored =
      file === undefined ? undefined : { file, receipts: matchReceipts(await readReceipts(file), photos, file) };
    const options = { hub: hubOptions(values, io), signal, onProgress: showLoading(line) };
    const program = readValidated(await readModel(source, options));
    const limits = largest === undefined ? {} : { maxPixels: largest };
    const claims = stored === undefined ? {} : { stored };
    report = await verifyAll({ program, backends, photos, signal, ...claims, ...limits }, line);
  } finally {
    line.clear();
  }
  if (values.json) io.out(`${JSON.stringify(report, undefined, 2)}\n`);
  else printReport(report, io);
  return exitStatus(report);
}
