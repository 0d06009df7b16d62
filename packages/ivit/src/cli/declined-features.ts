import type { Declined } from '@ivit/backend-cpu';

/** The cpu backend's words in sentences. */
const TEXTS: Readonly<Record<Declined, string>> = {
  'relaxed-simd:unsupported': 'relaxed SIMD not used: this engine does not know its operations',
  'relaxed-simd:no-module': 'relaxed SIMD not used: a module was passed in, and none with these operations',
  'relaxed-simd:inexact': 'relaxed SIMD not used: on this machine its products are not exact',
  'relaxed-simd:slower': 'relaxed SIMD not used: in a race it was not faster than the int16 kernel',
  'relaxed-simd:not-with-128': 'relaxed SIMD used in part: products whose right side may hold -128 are not exact here',
  'threads:no-shared-memory': 'one thread: there is no SharedArrayBuffer',
  'threads:not-isolated': 'one thread: this page is not cross-origin isolated (COOP and COEP headers)',
  'threads:no-workers': 'one thread: there are no workers to run more',
  'threads:one-core': 'one thread: this process has one core',
  'threads:asked': 'one thread: as asked',
};

const texts: ReadonlyMap<string, string> = new Map(Object.entries(TEXTS));

/** A sentence for what a backend says it does not use; of a stranger's words, the words. */
export function declinedText(declined: string): string {
  return texts.get(declined) ?? `not used: ${declined}`;
}
