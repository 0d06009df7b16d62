import { IvitError } from '@ivit/program';
import type { Recipe } from './recipe.js';

/** Which functions stand for softmax, GELU and the norms' input. Absent = the recipe's own, named first. */
export interface NonlinearChoice {
  /** `pow2` of the op set; `i-vit` Shiftmax; `i-bert` i-exp; `log2` FQ-ViT's 4-bit codes and P·V by shifts (ivit/1.1). */
  readonly softmax?: 'pow2' | 'i-vit' | 'i-bert' | 'log2';
  /** `exact` table; `i-bert` i-GELU; `shift` element-wise ShiftGELU. */
  readonly gelu?: 'exact' | 'i-bert' | 'shift';
  /** `int16` stream; `ptf` 8 bits with a power-of-two factor per channel (FQ-ViT). */
  readonly norm?: 'int16' | 'ptf';
}

/** Names per function, the default first. */
export const NONLINEAR_CHOICES = {
  softmax: ['pow2', 'i-vit', 'i-bert', 'log2'],
  gelu: ['exact', 'i-bert', 'shift'],
  norm: ['int16', 'ptf'],
} as const satisfies { readonly [K in keyof NonlinearChoice]-?: readonly NonNullable<NonlinearChoice[K]>[] };

type Kind = keyof typeof NONLINEAR_CHOICES;
const KINDS: readonly Kind[] = ['softmax', 'gelu', 'norm'];

function isKind(name: string): name is Kind {
  return Object.hasOwn(NONLINEAR_CHOICES, name);
}

function checkEntry(kind: string, name: string): void {
  const hint = 'Functions are softmax, gelu and norm, e.g. softmax=i-bert,gelu=i-bert.';
  if (!isKind(kind)) throw new IvitError('E_NONLINEAR_CHOICE', `there is no function '${kind}' to choose`, { hint });
  if (!NONLINEAR_CHOICES[kind].some((known) => known === name)) {
    const names = NONLINEAR_CHOICES[kind].join(', ');
    throw new IvitError('E_NONLINEAR_CHOICE', `there is no ${kind} '${name}'`, { hint: `It can be ${names}.` });
  }
}

/**
 * `softmax=NAME,gelu=NAME,norm=NAME`, each at most once.
 *
 * @throws IvitError `E_NONLINEAR_CHOICE`
 */
export function parseNonlinear(text: string): NonlinearChoice {
  const choice = new Map<string, string>();
  for (const part of text.split(',')) {
    const [kind = '', name = '', ...more] = part.split('=').map((word) => word.trim());
    checkEntry(kind, more.length > 0 ? part : name);
    if (choice.has(kind)) throw new IvitError('E_NONLINEAR_CHOICE', `${kind} is chosen twice`, { where: text });
    choice.set(kind, name);
  }
  return Object.fromEntries(choice);
}

/**
 * The choice as a recipe id records it: `+softmax=i-bert,gelu=i-bert`, defaults left out, empty for none.
 *
 * @throws IvitError `E_NONLINEAR_CHOICE` for an unknown name, or a recipe whose functions are fixed.
 */
export function nonlinearId(recipe: Recipe, choice: NonlinearChoice | undefined): string {
  const entries = Object.entries(choice ?? {}).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [kind, name] of entries) checkEntry(kind, name);
  const chosen = KINDS.flatMap((kind) => {
    const name = choice?.[kind] ?? NONLINEAR_CHOICES[kind][0];
    return name === NONLINEAR_CHOICES[kind][0] ? [] : [`${kind}=${name}`];
  });
  if (chosen.length === 0) return '';
  if (recipe === 'paper@1') {
    throw new IvitError(
      'E_NONLINEAR_CHOICE',
      `paper@1 is defined by its own functions, it takes no ${chosen.join(',')}`,
      {
        hint: 'Choose with accurate@1 or ptq@1.',
      },
    );
  }
  return `+${chosen.join(',')}`;
}
