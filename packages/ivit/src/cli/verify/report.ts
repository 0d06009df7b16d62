import type { Io } from '../io.js';
import type { Standing } from './contestants.js';
import type { BackendDifference, PhotoReport, ReceiptDifference } from './verify-photo.js';

/** `nothing`: one backend at most ran, and there was no receipt. */
export type Verdict = 'equal' | 'different' | 'incomplete' | 'nothing';

export interface VerifyReport {
  readonly model: string;
  readonly backends: readonly Standing[];
  /** With whose values the others were compared. */
  readonly base: string | undefined;
  /** File of stored receipts. */
  readonly receipts: string | undefined;
  readonly photos: readonly PhotoReport[];
  readonly verdict: Verdict;
}

/** What all of it comes to. A difference outweighs an error, for it is a finding. */
export function verdictOf({ backends, receipts, photos }: Omit<VerifyReport, 'verdict'>): Verdict {
  const ran = backends.filter(({ status }) => status === 'ran');
  if (photos.some((photo) => photo.differences.length > 0 || photo.receiptDifferences.length > 0)) return 'different';
  if (ran.length === 0 || (ran.length === 1 && receipts === undefined)) return 'nothing';
  const failed = backends.some(({ status }) => status === 'failed') || photos.some(({ errors }) => errors.length > 0);
  return failed ? 'incomplete' : 'equal';
}

const STATUS: Readonly<Record<Verdict, number>> = { equal: 0, different: 3, incomplete: 1, nothing: 1 };

export function exitStatus({ verdict }: VerifyReport): number {
  return STATUS[verdict];
}

function standingText(standing: Standing, base: string | undefined): string {
  if (standing.status === 'ran') {
    const { device, variant, threads, name } = standing;
    const role = name === base ? '; the others are compared with it' : '';
    return `${device}, variant ${variant}, threads ${threads}${role}`;
  }
  return `${standing.status === 'failed' ? 'FAILS' : 'not run'}: ${standing.code}, ${standing.reason}`;
}

function differenceLines(difference: BackendDifference): string[] {
  const { backend, against, value, op, seen, expected, got, element } = difference;
  const place =
    seen === 'trace'
      ? `the first value that differs is '${value}' (${op})`
      : `the output '${value}' (${op}) of its run differs, and no traced value does`;
  const lines = [`${backend}: ${place}`, `  sha256 expected ${expected} (${against})`, `         got      ${got}`];
  if (element !== undefined) {
    const { index, position, expected: wanted, got: found } = element;
    lines.push(`  '${element.value}' at [${position.join(', ')}] (element ${index}): expected ${wanted}, got ${found}`);
  }
  return lines;
}

function receiptLines({ field, expected, got, backends }: ReceiptDifference): string[] {
  const by = backends === undefined ? '' : ` (${backends.join(', ')})`;
  return [`receipt: ${field} differs`, `  expected ${expected}`, `  got      ${got}${by}`];
}

function photoLines({ file, differences, receiptDifferences, errors }: PhotoReport): string[] {
  const errorLines = errors.map(({ backend, code, message }) => {
    return `${backend === undefined ? '' : `${backend}: `}${code}: ${message}`;
  });
  const wrong = [...differences.flatMap(differenceLines), ...receiptDifferences.flatMap(receiptLines)];
  const head = wrong.length > 0 ? 'DIFFERENT' : errors.length > 0 ? 'not verified' : 'equal';
  return [`${file}: ${head}`, ...[...wrong, ...errorLines].map((line) => `  ${line}`)];
}

/** `41 values of cpu`: per backend, the fewest of all photos. */
function countText(photos: readonly PhotoReport[]): string {
  const counts = new Map<string, number>();
  for (const { values } of photos) {
    for (const [name, count] of Object.entries(values)) counts.set(name, Math.min(counts.get(name) ?? count, count));
  }
  return [...counts].map(([name, count]) => `, ${count} values of ${name}`).join('');
}

function verdictText(report: VerifyReport): string {
  const { verdict, backends, photos, receipts, base } = report;
  const names = backends.filter(({ status }) => status === 'ran').map(({ name }) => name);
  const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
  switch (verdict) {
    case 'equal': {
      const with_ = receipts === undefined ? '' : `, receipts of ${receipts}`;
      return `equal: ${many(photos.length, 'photo')}, ${many(names.length, 'backend')}${countText(photos)}${with_}`;
    }
    case 'different': {
      const wrong = photos.filter((photo) => photo.differences.length + photo.receiptDifferences.length > 0);
      return `DIFFERENT: ${wrong.length} of ${many(photos.length, 'photo')}`;
    }
    case 'incomplete':
      return 'incomplete: no difference, but not everything could run';
    case 'nothing':
      return base === undefined
        ? 'nothing to compare: no backend runs this model here'
        : `nothing to compare: only ${base} runs here, and no --receipt was given`;
    default:
      return verdict satisfies never;
  }
}

export function printReport(report: VerifyReport, io: Io): void {
  const row = (key: string, value: string): void => io.out(`${key.padEnd(12)}${value}\n`);
  row('model', report.model);
  for (const standing of report.backends) row(standing.name, standingText(standing, report.base));
  for (const photo of report.photos) for (const line of photoLines(photo)) io.out(`${line}\n`);
  io.out(`${verdictText(report)}\n`);
}
