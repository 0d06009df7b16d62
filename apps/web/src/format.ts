/** Numbers for people; the same in every language, since the page is in English. */

export function count(value: number): string {
  return value.toLocaleString('en-US');
}

export function bytes(value: number): string {
  if (value < 1000) return `${value} bytes`;
  return value < 1_000_000 ? `${Math.round(value / 1000)} kB` : `${(value / 1_000_000).toFixed(1)} MB`;
}

/** 38,799,616 → `38.8 million`. */
export function large(value: number): string {
  if (value < 1_000_000) return count(value);
  return value < 1_000_000_000
    ? `${(value / 1_000_000).toFixed(1)} million`
    : `${(value / 1_000_000_000).toFixed(1)} billion`;
}

export function milliseconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} ms`;
  return value < 1000 ? `${Math.round(value)} ms` : `${(value / 1000).toFixed(1)} s`;
}
