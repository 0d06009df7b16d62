import type { Op, Operand, Program } from '@ivit/program';

/** One layer's attention: a value of the program `[heads, tokens, tokens]`, rows sum to about the same. */
export interface AttentionValue {
  readonly value: string;
  /** Entries are codes c of 2^-c instead of probabilities (ivit/1.1). */
  readonly log2: boolean;
}

/** What a class token looks at, layer by layer. */
export interface ClassAttention {
  readonly layers: readonly AttentionValue[];
  readonly heads: number;
  readonly tokens: number;
  /** Tokens in front of the patches, the class token first. */
  readonly prefix: number;
  /** Patches per line of the photo. */
  readonly side: number;
}

export type FoundAttention = { readonly found: ClassAttention } | { readonly missing: string };

function operandsOf(op: Op): readonly Operand[] {
  if (op.op === 'concat') return op.operands;
  if (op.op === 'matmul') return [op.a, op.b];
  if (op.op === 'requantize' && op.addend !== undefined) return [op.x, op.addend.operand];
  return [op.x];
}

/** The row of `[tokens, width]` that a view cuts out alone; undefined where it takes several or parts. */
function rowOf({ view }: Extract<Operand, { value: string }>, width: number): number | undefined {
  if (view === undefined) return undefined;
  const size = view.shape.reduce((product, length) => product * length, 1);
  return size === width && view.offset % width === 0 && view.strides.at(-1) === 1
    ? Math.floor(view.offset / width)
    : undefined;
}

/** Rows of the token stream that the output comes from: walked back from it to the first `[tokens, width]` value. */
function rowsRead(program: Program, makers: ReadonlyMap<string, Op>, tokens: number): ReadonlySet<number> | undefined {
  const rows = new Set<number>();
  const open = [program.output];
  const seen = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const op = makers.get(name);
    if (op === undefined || seen.has(name)) continue;
    seen.add(name);
    for (const operand of operandsOf(op)) {
      if (!('value' in operand)) continue;
      const shape = program.values[operand.value]?.shape ?? [];
      if (shape.length === 2 && shape[0] === tokens) {
        const row = rowOf(operand, shape[1] ?? 0);
        // Several rows at once: the mean of the patches, for one.
        if (row === undefined) return undefined;
        rows.add(row);
      } else {
        open.push(operand.value);
      }
    }
  }
  return rows;
}

/** Constant rows that stand in front of the patches where the token stream begins. */
function prefixOf(program: Program, tokens: number): number {
  for (const op of program.ops) {
    if (op.op !== 'concat' || program.values[op.result]?.shape[0] !== tokens) continue;
    const [first] = op.operands;
    if (first !== undefined && 'constant' in first) return program.constants[first.constant]?.shape[0] ?? 0;
  }
  return 0;
}

/**
 * The attention probabilities that a class token's rollout is made of: the results of all `softmax` ops, of a program whose
 * classifier reads the first token alone (a distilled one its second too). Found by walking the program, whatever its
 * values are called.
 */
export function findAttention(program: Program): FoundAttention {
  const makers = new Map(program.ops.map((op) => [op.result, op]));
  const layers: AttentionValue[] = [];
  let shape: readonly number[] | undefined;
  for (const op of program.ops) {
    if (op.op !== 'softmax') continue;
    const own = program.values[op.result]?.shape ?? [];
    if (own.length !== 3 || own[1] !== own[2]) {
      return { missing: 'its attention stays within windows, so that no token sees the whole photo' };
    }
    shape ??= own;
    if (own[1] !== shape[1]) return { missing: 'its layers have different numbers of tokens' };
    layers.push({ value: op.result, log2: op.log2 !== undefined });
  }
  const [heads, tokens] = shape ?? [];
  if (heads === undefined || tokens === undefined) return { missing: 'it has no attention' };
  const prefix = prefixOf(program, tokens);
  const rows = rowsRead(program, makers, tokens);
  if (prefix === 0 || rows === undefined || !rows.has(0)) return { missing: 'its classifier reads no class token' };
  const side = Math.round(Math.sqrt(tokens - prefix));
  if (side * side !== tokens - prefix) return { missing: 'its patches form no square' };
  return { found: { layers, heads, tokens, prefix, side } };
}
