import type { Backend, ProbeResult } from '@ivit/backend';
import { IvitError, throwIfAborted, type ValidatedProgram } from '@ivit/program';
import { type Answer, createModel, type Receipt, rankAnswers } from '@ivit/runtime';
import { readModel } from '../model-source.js';
import { BUNDLED_PHOTO } from '../photos.js';
import { readBytes } from '../read-bytes.js';
import { BACKEND_OPTIONS, backendsOf } from './backend-options.js';
import { declinedText } from './declined-features.js';
import { describeError, type ErrorText } from './describe-error.js';
import { hubOptions } from './hub-options.js';
import type { Io } from './io.js';
import { describeMachine, type Machine } from './machine.js';
import { createProgressLine, showLoading } from './progress.js';
import { readValidated } from './read-validated.js';
import { failUsage, parseCommand } from './usage.js';

/** What a backend did with the model and the photo. */
interface Trial {
  readonly selfCheck: 'passed' | 'absent';
  readonly variant: string;
  readonly threads: number;
  readonly answer: Answer | undefined;
  readonly receipt: Receipt;
}

interface Finding {
  readonly name: string;
  readonly version: string;
  readonly probe: ProbeResult;
  readonly trial?: Trial;
  readonly error?: ErrorText;
}

interface Report {
  readonly machine: Machine;
  readonly model: string;
  readonly backends: readonly Finding[];
  /** The first backend that runs the model right: what `loadModel` would use. */
  readonly chosen: string | undefined;
  /** Whether all that ran gave one receipt. */
  readonly receiptsEqual: boolean;
}

interface Case {
  readonly program: ValidatedProgram;
  readonly photo: Uint8Array;
  readonly signal: AbortSignal;
}

async function tryBackend(backend: Backend, { program, photo, signal }: Case): Promise<Trial> {
  const model = await createModel({ program, backends: [backend], maxBatch: 1, signal });
  try {
    const [result] = await model.run([photo], { signal });
    const logits = result?.outputs['logits']?.data;
    if (result === undefined || !(logits instanceof Int32Array)) {
      throw new IvitError('E_BACKEND', 'The backend returned no int32 logits', { where: backend.name });
    }
    const { variant, threads } = model.info.backend;
    const [answer] = rankAnswers(logits, program, 1);
    return { selfCheck: model.info.selfCheck, variant, threads, answer, receipt: result.receipt };
  } finally {
    await model.dispose();
  }
}

async function examineBackend(backend: Backend, one: Case): Promise<Finding> {
  const { name, version } = backend;
  const probe = await backend.probe({ signal: one.signal });
  if (!probe.available) return { name, version, probe };
  try {
    return { name, version, probe, trial: await tryBackend(backend, one) };
  } catch (error) {
    throwIfAborted(one.signal);
    return { name, version, probe, error: describeError(error) };
  }
}

/** Tries every backend with a program that is known to be sound. */
export async function examine(
  backends: readonly Backend[],
  one: Case,
  onBackend: (name: string) => void,
): Promise<Pick<Report, 'backends' | 'chosen' | 'receiptsEqual'>> {
  const findings: Finding[] = [];
  for (const backend of backends) {
    onBackend(backend.name);
    findings.push(await examineBackend(backend, one));
  }
  const trials = findings.flatMap(({ trial }) => (trial === undefined ? [] : [trial]));
  return {
    backends: findings,
    chosen: findings.find(({ trial }) => trial !== undefined)?.name,
    receiptsEqual: new Set(trials.map(({ receipt }) => JSON.stringify(receipt))).size <= 1,
  };
}

const yesNo = (has: boolean): string => (has ? 'yes' : 'no');
const gibibytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

function machineRows(machine: Machine): (readonly [string, string])[] {
  const { node, engine, system, cpu, cores, memoryBytes, freeBytes } = machine;
  return [
    ['node', `${node} (${engine}), ${system}`],
    ['processor', `${cpu}, ${cores} ${cores === 1 ? 'core' : 'cores'} for this process`],
    ['memory', `${gibibytes(memoryBytes)}, ${gibibytes(freeBytes)} free`],
    [
      'wasm',
      machine.webAssembly
        ? `SIMD ${yesNo(machine.simd)}, relaxed SIMD ${yesNo(machine.relaxedSimd)}, shared memory ${yesNo(machine.sharedMemory)}`
        : 'no',
    ],
  ];
}

function findingText({ probe, trial, error }: Finding): string[] {
  if (!probe.available) return [`not available: ${probe.code}, ${probe.reason}`];
  const features = probe.features.length === 0 ? '' : `, ${probe.features.join(', ')}`;
  const lines = [`available on ${probe.device}, threads ${probe.threads}${features}`];
  lines.push(...(probe.declined ?? []).map(declinedText));
  if (error !== undefined) lines.push(`fails: ${error.code}, ${error.message}`);
  if (trial !== undefined) {
    const { selfCheck, variant, threads, answer, receipt } = trial;
    lines.push(`self-check ${selfCheck} (variant ${variant}, threads ${threads})`);
    if (answer !== undefined) lines.push(`photo ${answer.label} ${answer.score.toFixed(4)}`);
    lines.push(`receipt ${JSON.stringify(receipt)}`);
  }
  return lines;
}

function print(report: Report, io: Io): void {
  const row = (key: string, value: string): void => io.out(`${key.padEnd(12)}${value}\n`);
  for (const [key, value] of machineRows(report.machine)) row(key, value);
  row('model', report.model);
  for (const finding of report.backends) {
    for (const [index, text] of findingText(finding).entries()) row(index === 0 ? finding.name : '', text);
  }
  row('chosen', report.chosen ?? 'none: no backend runs this model here');
  if (!report.receiptsEqual) row('receipts', 'DIFFERENT: one of the backends computes wrongly');
}

/** `ivit doctor [MODEL]`: 0 if a backend runs the model right and none contradicts it, else 1. */
export async function doctor(args: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseCommand(args, BACKEND_OPTIONS);
  const [source = 'builtin', ...others] = positionals;
  if (others.length > 0) failUsage('doctor takes one model at most');
  const backends = await backendsOf(values);
  const { signal } = io;
  const line = createProgressLine(io, values.quiet ?? false);
  let report: Report;
  try {
    const options = { hub: hubOptions(values, io), signal, onProgress: showLoading(line) };
    const program = readValidated(await readModel(source, options));
    const one = { program, photo: await readBytes(BUNDLED_PHOTO, { signal }), signal };
    const found = await examine(backends, one, (name) => line.update(`try ${name}`));
    report = { machine: describeMachine(), model: source, ...found };
  } finally {
    line.clear();
  }
  if (values.json) io.out(`${JSON.stringify(report, undefined, 2)}\n`);
  else print(report, io);
  return report.chosen !== undefined && report.receiptsEqual ? 0 : 1;
}
