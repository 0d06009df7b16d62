/** What of a shader is not integer: types, literals, functions and directives of floating point, comments left out. */
const FLOATS: readonly RegExp[] = [
  /\b(?:f16|f32|vec[234][fh]|mat\d)/,
  /\benable\b/,
  /\d\.\d|\d[eE][-+]?\d|\b\d+[fh]\b/,
  /\b(?:sqrt|inverseSqrt|exp2?|log2?|pow|floor|ceil|round|trunc|fract|fma|sin|cos|tan|unpack\w+(?:float|norm)|pack\w+(?:float|norm))\s*\(/,
];

/** The first piece of a shader that is floating point, or undefined. */
export function floatIn(code: string): string | undefined {
  const bare = code.replaceAll(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, ' ');
  for (const pattern of FLOATS) {
    const found = pattern.exec(bare);
    if (found !== null) return found[0];
  }
  return undefined;
}
