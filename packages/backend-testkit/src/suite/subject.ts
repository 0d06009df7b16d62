import { createProgramBuilder, type Program } from '@ivit/program';
import { randomChain } from '../random/chains.js';
import { CASE_OPS, randomProgram } from '../random/op-cases.js';
import { createRandom } from '../random/random.js';
import { type Declared, runsOn } from '../restrict.js';

/** A chain that has all ops, found once by search. */
const CHAIN_SEED = 2497;
const CHAIN_STEPS = 6;

/** Ops that read pixels, each applied to the result before it where the backend has it. */
function fromPixels(declared: Declared): Program | undefined {
  const random = createRandom(7);
  const b = createProgramBuilder('pixels', [4, 6]);
  let x = 'pixels';
  if (declared.has('gather')) {
    const rows = b.constant('rows', 'i32', [5], [3, 1, 1, 2, 0]);
    x = b.add({ op: 'gather', result: 'gathered', x: { value: x }, rows, width: 6 }, [5, 6]);
  }
  if (declared.has('concat')) {
    const row = b.constant('row', 'u8', [1, 6], random.list(6, 0, 255));
    x = b.add({ op: 'concat', result: 'joined', operands: [{ constant: row }, { value: x }] });
  }
  if (declared.has('lookup')) {
    const table = b.constant('table', 'i8', [6, 256], random.list(1536, -128, 127));
    x = b.add({ op: 'lookup', result: 'looked', x: { value: x }, table });
  } else if (declared.has('requantize')) {
    x = b.add({ op: 'requantize', result: 'bytes', x: { value: x }, m: 1, e: 0, z: -128, axis: 0, run: 0, to: 'i8' });
  }
  if (declared.has('linear') && b.type(x).dtype === 'i8') {
    const w = b.constant('w', 'i8', [7, 6], random.list(42, -128, 127));
    x = b.add({ op: 'linear', result: 'products', x: { value: x }, w });
  }
  if (declared.has('requantize')) {
    x = b.add({
      op: 'requantize',
      result: 'scaled',
      x: { value: x },
      m: 77777,
      e: 18,
      z: 3,
      axis: 0,
      run: 0,
      to: 'i16',
    });
  }
  if (declared.has('mean')) x = b.add({ op: 'mean', result: 'average', x: { value: x }, axis: 0 });
  return x === 'pixels' ? undefined : b.build({ output: x });
}

/** A program for the tests of behavior, made of declared ops as far as that goes. */
export function subjectProgram(declared: Declared): Program {
  const chain = randomChain(createRandom(CHAIN_SEED), CHAIN_STEPS);
  if (runsOn(chain, declared)) return chain;
  const own = fromPixels(declared);
  if (own !== undefined) return own;
  const op = CASE_OPS.find((name) => declared.has(name)) ?? 'linear';
  return randomProgram(op, createRandom(CHAIN_SEED));
}
