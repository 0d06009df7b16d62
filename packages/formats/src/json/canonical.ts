import type { Json } from './tree.js';

/** Every value takes two bytes of text or more, so this long a text stays within the tree's limit on values. */
const MAX_LENGTH = 2_000_000;

/**
 * The tree of a text that the engine's own JSON writes back unchanged, else undefined.
 *
 * Far faster than the strict reader, and nearly as strict where it answers: a repeated key, white space, `-0`, `1.0`, a
 * leading zero or an integer that a double does not hold would not come back as they were. What may pass and must not
 * is left to the caller: fractions and exponents as the engine writes them, half surrogates, reserved keys, depth.
 */
export function parseCanonical(text: string): Json | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  try {
    const tree: Json = JSON.parse(text);
    return JSON.stringify(tree) === text ? tree : undefined;
  } catch {
    // No JSON, or nested deeper than the engine's stack.
    return undefined;
  }
}
