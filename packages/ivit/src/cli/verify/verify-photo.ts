import { modelId, sha256Hex, throwIfAborted, type ValidatedProgram } from '@ivit/program';
import type { Receipt } from '@ivit/runtime';
import { describeError, type ErrorText } from '../describe-error.js';
import type { Contestant } from './contestants.js';
import { type Element, locateElement } from './locate.js';
import { compareObservations, compareWithOwnTrace, type Mismatch, type Observation, observe } from './observe.js';

/** A backend that computed something else than another. */
export interface BackendDifference extends Mismatch {
  readonly backend: string;
  /** Whose value was expected: the other backend's, or its own trace's. */
  readonly against: string;
  /** Absent where it was not found, or the backend's first difference was at an earlier photo. */
  readonly element?: Element;
}

/** A field of a stored receipt that is not what was computed. */
export interface ReceiptDifference {
  readonly field: keyof Receipt;
  /** What the receipt says. */
  readonly expected: string;
  readonly got: string;
  /** The backends that got it: for `output`, which is the only field that a backend computes. */
  readonly backends?: readonly string[];
}

export interface PhotoReport {
  readonly file: string;
  /** What the base computed. */
  readonly receipt?: Receipt;
  /** Values compared, by backend. */
  readonly values: Readonly<Record<string, number>>;
  readonly differences: readonly BackendDifference[];
  readonly receiptDifferences: readonly ReceiptDifference[];
  /** Of the photo, or of backends that could not run it. */
  readonly errors: readonly (ErrorText & { readonly backend?: string })[];
}

export interface PhotoCase {
  readonly program: ValidatedProgram;
  readonly contestants: readonly Contestant[];
  readonly base: Contestant;
  readonly file: string;
  readonly pixels: Uint8Array;
  readonly stored: Receipt | undefined;
  readonly signal: AbortSignal;
  /** Backends whose first wrong element is known already; added to. */
  readonly located: Set<string>;
}

interface Seen {
  readonly contestant: Contestant;
  readonly observation: Observation;
}

async function findElement(one: PhotoCase, other: Contestant, mismatch: Mismatch): Promise<Element | undefined> {
  const { program, base, pixels, signal, located } = one;
  if (located.has(other.backend.name)) return undefined;
  located.add(other.backend.name);
  try {
    return await locateElement(program, base, other, pixels, mismatch, signal);
  } catch {
    // The difference stands without it.
    throwIfAborted(signal);
    return undefined;
  }
}

function compareReceipt(one: PhotoCase, receipt: Omit<Receipt, 'output'>, seen: readonly Seen[]): ReceiptDifference[] {
  const { stored } = one;
  if (stored === undefined) return [];
  const fields = (['spec', 'model', 'pixels'] as const).filter((field) => stored[field] !== receipt[field]);
  const differences: ReceiptDifference[] = fields.map((field) => ({
    field,
    expected: stored[field],
    got: receipt[field],
  }));
  const outputs = new Set(seen.map(({ observation }) => observation.output));
  for (const got of outputs) {
    if (got === stored.output) continue;
    const by = seen.filter(({ observation }) => observation.output === got);
    const backends = by.map(({ contestant }) => contestant.backend.name);
    differences.push({ field: 'output', expected: stored.output, got, backends });
  }
  return differences;
}

/** Runs one photo on every backend, and compares each with the base, with its own trace, and all with the stored receipt. */
export async function verifyPhoto(one: PhotoCase): Promise<PhotoReport> {
  const { program, contestants, base, file, pixels, signal } = one;
  const seen: Seen[] = [];
  const errors: PhotoReport['errors'][number][] = [];
  for (const contestant of contestants) {
    throwIfAborted(signal);
    try {
      seen.push({ contestant, observation: await observe(program, contestant.executable, pixels, signal) });
    } catch (error) {
      throwIfAborted(signal);
      errors.push({ ...describeError(error), backend: contestant.backend.name });
    }
  }
  const values: Record<string, number> = {};
  const differences: BackendDifference[] = [];
  const truth = seen.find(({ contestant }) => contestant === base);
  for (const { contestant, observation } of seen) {
    const backend = contestant.backend.name;
    if (truth !== undefined && contestant !== base) {
      const { values: count, mismatch } = compareObservations(program, truth.observation, observation);
      values[backend] = count;
      if (mismatch !== undefined) {
        const element = await findElement(one, contestant, mismatch);
        differences.push({
          ...{ backend, against: base.backend.name, ...mismatch },
          ...(element === undefined ? {} : { element }),
        });
        continue;
      }
    }
    const own = compareWithOwnTrace(program, observation);
    if (own !== undefined) differences.push({ backend, against: `${backend}'s own trace`, ...own });
  }
  const claim = { spec: program.spec, model: modelId(program), pixels: sha256Hex([pixels]) };
  return {
    file,
    ...(truth === undefined ? {} : { receipt: { ...claim, output: truth.observation.output } }),
    values,
    differences,
    receiptDifferences: compareReceipt(one, claim, seen),
    errors,
  };
}
