import type { NonlinearChoice, PtqSettings, Recipe } from '@ivit/quantize';

/** One row of the ablation: a recipe, and what of it is done otherwise. */
export interface Step {
  readonly id: string;
  /** What it adds to the step before. */
  readonly title: string;
  readonly recipe: Recipe;
  readonly changes?: Partial<PtqSettings>;
  readonly nonlinear?: NonlinearChoice;
}

/** Everything that `ptq@1` adds to plain int8, undone. */
const PLAIN: Partial<PtqSettings> = {
  rows: 'tensor',
  zeroPoints: false,
  migration: false,
  balance: false,
  biasCorrection: false,
  rounding: 'nearest',
};

/** The parts in the order in which they are added. */
const PARTS: readonly [keyof PtqSettings, string][] = [
  ['balance', 'q and k balanced'],
  ['zeroPoints', 'zero-points in front of linear layers'],
  ['rows', 'one scale per token, found at run time'],
  ['migration', 'LayerNorm scales half in the weights'],
  ['biasCorrection', 'mean outputs corrected'],
  ['rounding', 'GPTQ: all of `ptq@1`'],
];

function addParts(): Step[] {
  const left = new Map(Object.entries(PLAIN));
  return PARTS.map(([part, title]) => {
    left.delete(part);
    const changes: Partial<PtqSettings> = Object.fromEntries(left);
    return { id: `plus-${part}`, title, recipe: 'ptq@1', ...(left.size === 0 ? {} : { changes }) };
  });
}

/** From plain I-ViT to the best recipe, each step on top of the one before, but for the one that says instead of what. */
export const STEPS: readonly Step[] = [
  { id: 'paper', title: 'plain I-ViT by min/max (`paper@1`)', recipe: 'paper@1' },
  {
    id: 'int16-logits',
    title: 'int16 logits and GELU inputs, scales of v and weights per channel; Shiftmax, ShiftGELU element by element',
    recipe: 'ptq@1',
    changes: PLAIN,
    nonlinear: { softmax: 'i-vit', gelu: 'shift' },
  },
  {
    id: 'gelu',
    title: 'GELU by exact table',
    recipe: 'ptq@1',
    changes: PLAIN,
    nonlinear: { softmax: 'i-vit' },
  },
  { id: 'pow2', title: 'softmax in the log2 domain', recipe: 'ptq@1', changes: PLAIN },
  ...addParts(),
  {
    id: 'slots',
    title: '16 slots in front of qkv, proj and fc1, 32 in front of fc2',
    recipe: 'ptq@1',
    changes: { slots: { norm: 16, attention: 16, gelu: 32 } },
  },
  {
    id: 'rotated',
    title: 'instead: rotated stream and values, 32 slots in front of fc2',
    recipe: 'ptq@1',
    changes: {
      rotation: { stream: true, values: true, keys: false },
      slots: { norm: 0, attention: 0, gelu: 32 },
    },
  },
  { id: 'accurate', title: 'class token in int16, head room of the stream: `accurate@1`', recipe: 'accurate@1' },
  {
    id: 'accurate-2',
    title: 'GPTQ on eight paths, int16 queries of the class token, 12-bit classifier: `accurate@2`',
    recipe: 'accurate@2',
  },
];
