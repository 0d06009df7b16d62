import type { ColdRow } from './cold.js';
import type { Machine } from './run-info.js';
import type { SizeRow } from './sizes.js';
import {
  type Measure,
  type Place,
  type Ratios,
  type Row,
  ratioOf,
  ratiosAt,
  type Scaling,
  scaling,
} from './statistics.js';

/** Everything that a run of the bench found; this is the JSON. */
export interface Report {
  /** The peers' best median over ours: DeiT-Tiny, one thread, the running Node, batch 1. */
  readonly ratios: Ratios;
  /** The same by minima: less of the machine's noise, more of luck. */
  readonly ratiosByMin: Ratios;
  /** The same by the median of the ratios of calls in the same round: the least disturbed by a changing load. */
  readonly ratiosPaired: Ratios;
  readonly date: string;
  readonly commit: string;
  readonly machine: Machine;
  readonly versions: Readonly<Record<string, string>>;
  readonly backend: string;
  /** Model ids of our files. */
  readonly models: Readonly<Record<string, string>>;
  /** What each variant says of itself, by place. */
  readonly details: readonly (Place & { readonly details: Readonly<Record<string, string>> })[];
  readonly rows: readonly Row[];
  readonly scaling: readonly Scaling[];
  readonly cold: readonly ColdRow[];
  readonly bytes: readonly SizeRow[];
}

/** What the rows say by themselves. */
export function derived(
  rows: readonly Row[],
  place: Place,
): Pick<Report, 'ratios' | 'ratiosByMin' | 'ratiosPaired' | 'scaling'> {
  return {
    ratios: ratiosAt(rows, place, 'median'),
    ratiosByMin: ratiosAt(rows, place, 'min'),
    ratiosPaired: ratiosAt(rows, place, 'paired'),
    scaling: scaling(rows),
  };
}

export function table(header: readonly string[], lines: readonly (readonly string[])[]): string[] {
  const all = [header, ...lines];
  const widths = header.map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length)));
  return all.map((line) => {
    return line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join('  ');
  });
}

const MIB = 1024 * 1024;

/** The rows of one place, with the ratio to ours: above 1 means slower than ours. */
export function placeTable(rows: readonly Row[]): string[] {
  const [first] = rows;
  const ours = rows.find((row) => row.engine === 'ivit');
  if (first === undefined) return [];
  const plural = first.threads === 1 ? 'thread' : 'threads';
  const title = `${first.environment}, ${first.model}, ${first.threads} ${plural}, batch ${first.batch}`;
  const ratio = (row: Row, measure: Measure): string =>
    ours === undefined ? '' : `${ratioOf(row, ours, measure).toFixed(2)}x`;
  const lines = rows.map((row) => [
    `  ${row.variant}`,
    row.median.toFixed(1),
    ratio(row, 'median'),
    row.min.toFixed(1),
    ratio(row, 'min'),
    ratio(row, 'paired'),
    String(row.runs.length),
  ]);
  return [
    title,
    ...table(['  variant', 'median ms', 'over ours', 'min ms', 'over ours', 'paired', 'calls'], lines),
    '',
  ];
}

function coldTable(cold: readonly ColdRow[]): string[] {
  if (cold.length === 0) return [];
  const lines = cold.map((row) => [
    `  ${row.variant}`,
    row.median.toFixed(0),
    row.min.toFixed(0),
    (row.peak / MIB).toFixed(0),
    (row.peakAboveNode / MIB).toFixed(0),
    row.label,
  ]);
  const header = ['  process start to first label', 'median ms', 'min ms', 'peak MiB', 'above Node MiB', 'label'];
  return [...table(header, lines), ''];
}

function sizeTable(bytes: readonly SizeRow[]): string[] {
  if (bytes.length === 0) return [];
  const lines = bytes.map(({ what, bytes: plain, gzip }) => [`  ${what}`, String(plain), String(gzip)]);
  return [...table(['  bytes to load', 'bytes', 'gzip'], lines), ''];
}

/** Ours and onnxruntime-web; the JSON has all. */
function scalingTable(all: readonly Scaling[]): string[] {
  const rows = all.filter((row) => row.engine !== 'ort-node');
  if (rows.length === 0) return [];
  const lines = rows.map((row) => [
    `  ${row.environment}, ${row.model}, batch ${row.batch}, ${row.variant}`,
    `${row.median.toFixed(2)}x`,
    `${row.min.toFixed(2)}x`,
  ]);
  return [...table(['  two threads against one', 'by median', 'by min'], lines), ''];
}

function ratioLine(name: string, ratios: Ratios): string {
  const parts = Object.entries(ratios).map(([peer, ratio]: [string, number | null]) => {
    return `${peer} ${ratio === null ? 'not measured' : ratio.toFixed(2)}`;
  });
  return `${name}: ${parts.join(', ')}`;
}

/** What follows the tables of the single places. */
export function summary(report: Report): string[] {
  return [
    ...coldTable(report.cold),
    ...scalingTable(report.scaling),
    ...sizeTable(report.bytes),
    ...Object.entries(report.models).map(([name, id]) => `model ${name}: ${id}`),
    ...Object.entries(report.versions).map(([name, version]) => `${name}: ${version}`),
    `${report.machine.cpu}, ${report.machine.cores} cores, ${report.machine.system}; commit ${report.commit}`,
    ratioLine('peer over ours, best median', report.ratios),
    ratioLine('peer over ours, best min', report.ratiosByMin),
    ratioLine('peer over ours, best median of paired calls', report.ratiosPaired),
  ];
}
