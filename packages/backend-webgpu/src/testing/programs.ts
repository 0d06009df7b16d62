import { createProgramBuilder, type ValidatedProgram, validate } from '@ivit/program';

/** Repeatable bytes: a multiplicative sequence, good enough to tell one element from another. */
export function bytes(count: number, seed: number): Uint8Array<ArrayBuffer> {
  let state = seed;
  return Uint8Array.from({ length: count }, () => {
    state = Math.imul(state, 1664525) + 1013904223;
    return state >>> 24;
  });
}

const signed = (count: number, seed: number): Int8Array => new Int8Array(bytes(count, seed).buffer);

/**
 * A whole model: 4×4 pixels through layers of products, each on rows in another order, to three classes.
 *
 * @param layers products before the head
 */
export function layeredModel(layers: number): ValidatedProgram {
  const b = createProgramBuilder('pixels', [4, 4, 3]);
  b.constant('table', 'i8', [256], signed(256, 3));
  b.constant('w', 'i8', [6, 6], signed(36, 7));
  b.constant('head', 'i8', [3, 48], signed(144, 11));
  b.constant('order', 'i32', [8], [7, 6, 5, 4, 3, 2, 1, 0]);
  b.add({ op: 'lookup', result: 'x0', x: { value: 'pixels' }, table: 'table' });
  let x = b.reshape('x0', [8, 6]);
  for (let layer = 1; layer <= layers; layer++) {
    b.add({ op: 'linear', result: `sums${layer}`, x, w: 'w' });
    const rest = { m: 5000, e: 20, z: 0, axis: 0, run: 0, to: 'i8' } as const;
    b.add({ op: 'requantize', result: `y${layer}`, x: { value: `sums${layer}` }, ...rest });
    const turned = { op: 'gather', result: `x${layer}`, x: { value: `y${layer}` }, rows: 'order', width: 6 } as const;
    x = { value: b.add(turned, [8, 6]) };
  }
  b.add({ op: 'linear', result: 'logits', x: b.reshape(`x${layers}`, [48]), w: 'head' });
  return validate(b.build({ output: 'logits', labels: ['a', 'b', 'c'] }));
}
