import type { LinearOp } from '@ivit/program';
import { describe, it } from 'vitest';
import { choice, fields, integer, optional, text } from './decoder.js';

const op = choice('linear');
const x: () => LinearOp['x'] = () => ({ value: 'x' });

describe('a row of the op table', () => {
  it('fits its type, field for field', () => {
    fields<LinearOp>({ op, result: text(1), x, w: text(1), b: optional(text(1)) });
    // @ts-expect-error: w is missing
    fields<LinearOp>({ op, result: text(1), x, b: optional(text(1)) });
    // @ts-expect-error: b is optional in the type
    fields<LinearOp>({ op, result: text(1), x, w: text(1), b: text(1) });
    // @ts-expect-error: w is required in the type
    fields<LinearOp>({ op, result: text(1), x, w: optional(text(1)), b: optional(text(1)) });
    // @ts-expect-error: w is text
    fields<LinearOp>({ op, result: text(1), x, w: integer(), b: optional(text(1)) });
    // @ts-expect-error: k is no field of linear
    fields<LinearOp>({ op, result: text(1), x, w: text(1), b: optional(text(1)), k: integer() });
  });
});
