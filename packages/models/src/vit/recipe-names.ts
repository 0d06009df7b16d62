/** Names of the values that the recipe's program makes, for callers that ask a backend for them. */
export const PIXELS = 'pixels';
export const EMBED = 'embed';
export const LOGITS = 'logits';

/** Prefix of block `index` in value and constant names. */
export function blockPrefix(index: number): string {
  return `blocks.${index}`;
}
