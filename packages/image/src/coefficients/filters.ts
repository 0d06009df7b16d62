/** A resampling filter: an even function that is zero from `support` on. */
export interface Filter {
  readonly support: number;
  readonly at: (x: number) => number;
}

function triangle(x: number): number {
  const distance = x < 0 ? -x : x;
  return distance < 1 ? 1 - distance : 0;
}

/** Keys' cubic convolution with a = -1/2 (Keys 1981), each polynomial evaluated in Pillow's order. */
function cubic(x: number): number {
  const distance = x < 0 ? -x : x;
  if (distance < 1) return (1.5 * distance - 2.5) * distance * distance + 1;
  if (distance < 2) return (((distance - 5) * distance + 8) * distance - 4) * -0.5;
  return 0;
}

export const BILINEAR: Filter = { support: 1, at: triangle };
export const BICUBIC: Filter = { support: 2, at: cubic };
