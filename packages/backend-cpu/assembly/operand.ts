/** Where a stage's operand starts for row `i0` of group `g`; see record-layout. */
// @ts-expect-error: decorator
@inline
export function address(record: usize, field: i32, g: i32, i0: i32, scratch: usize): usize {
  const operand = record + (field << 2);
  const base = load<u32>(operand) as usize;
  if (load<u32>(operand, 12)) return base + scratch;
  return base + g * load<i32>(operand, 4) + i0 * load<i32>(operand, 8);
}

/** Bytes from one row of an operand to the next. */
// @ts-expect-error: decorator
@inline
export function rowStride(record: usize, field: i32): i32 {
  return load<i32>(record + (field << 2), 8);
}

/** A word of a record. */
// @ts-expect-error: decorator
@inline
export function word(record: usize, field: i32): i32 {
  return load<i32>(record + (field << 2));
}

/** Copies bytes; most copies here are short, where a loop beats a call. */
// @ts-expect-error: decorator
@inline
export function copyBytes(to: usize, from: usize, bytes: i32): void {
  const end = from + bytes;
  while (from + 16 <= end) {
    v128.store(to, v128.load(from));
    from += 16;
    to += 16;
  }
  while (from < end) {
    store<u8>(to++, load<u8>(from++));
  }
}
