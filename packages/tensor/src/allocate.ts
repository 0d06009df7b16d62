/** A stretch of memory wanted from step `start` to step `end`, both inclusive. */
export interface Lease {
  readonly start: number;
  readonly end: number;
  readonly bytes: number;
}

const ALIGNMENT = 64;

/** Rounds up to a cache line. */
export function aligned(bytes: number): number {
  const rest = bytes % ALIGNMENT;
  return rest === 0 ? bytes : bytes + ALIGNMENT - rest;
}

/**
 * Places leases so that none overlaps another of the same time: in order of start, each at the lowest free place.
 *
 * @returns offsets in the order given, and the bytes they span
 */
export function allocate(leases: readonly Lease[]): { readonly offsets: readonly number[]; readonly bytes: number } {
  const offsets = new Array<number>(leases.length).fill(0);
  const order = Array.from(leases.keys()).sort(
    (a, b) => (leases[a] as Lease).start - (leases[b] as Lease).start || a - b,
  );
  let held: { readonly from: number; readonly to: number; readonly end: number }[] = [];
  let bytes = 0;
  for (const index of order) {
    const lease = leases[index] as Lease;
    held = held.filter(({ end }) => end >= lease.start);
    const size = aligned(lease.bytes);
    let from = 0;
    let place = held.length;
    for (const [at, other] of held.entries()) {
      if (other.from - from >= size) {
        place = at;
        break;
      }
      from = Math.max(from, other.to);
    }
    held.splice(place, 0, { from, to: from + size, end: lease.end });
    offsets[index] = from;
    bytes = Math.max(bytes, from + size);
  }
  return { offsets, bytes };
}
