import { IvitError } from '@ivit/program';
import type { Recipe } from './recipe.js';
import type { RotationChoice } from './rotate-block.js';

/** What a recipe does to a model. Every part can be left out to see what it brings. */
export interface PtqSettings {
  /** Scale of a linear layer's input: one per token, found at run time, or one per tensor from calibration. */
  readonly rows: 'token' | 'tensor';
  /** Zero-points other than 0 in front of linear layers. */
  readonly zeroPoints: boolean;
  /** LayerNorm scales move half-way into the next weights. */
  readonly migration: boolean;
  /**
   * Channels of the hidden layer that reach far beyond the others move into the next weights as far as these lose nothing,
   * and fc1 comes out in coarser steps where its values need them.
   */
  readonly spread: boolean;
  /** q and k are balanced against each other, channel by channel. */
  readonly balance: boolean;
  /** Mean outputs of linear layers are made the float model's. */
  readonly biasCorrection: boolean;
  /** How weights are rounded: by GPTQ or each to its nearest. */
  readonly rounding: 'gptq' | 'nearest';
  /** Ways of rounding a row that GPTQ keeps open at once: 1 = GPTQ as it is. */
  readonly paths: number;
  /** Slots that one edge may spend on channels which reach further than the others, by what stands in front. */
  readonly slots: { readonly norm: number; readonly attention: number; readonly gelu: number };
  /** How far beyond the calibrated maximum the residual stream can go before it saturates: that maximum times so much. */
  readonly residualMargin: number;
  /** The rows that the readout reads (class and distillation token, pooled row) reach linear layers as int16. */
  readonly wideTokens: boolean;
  /** Their queries are int16 as well, and their attention is computed by itself. Only with `wideTokens`. */
  readonly wideQueries: boolean;
  /** The classifier of a row that is int16 has 4 more bits of weights. Only with `wideTokens`. */
  readonly fineHead: boolean;
  /** Equivalent form of the weights in which no channel stands out; absent = the weights as they are. */
  readonly rotation?: RotationChoice;
}

export type PtqRecipe = Exclude<Recipe, 'paper@1'>;

const PTQ_1: PtqSettings = {
  rows: 'token',
  zeroPoints: true,
  migration: true,
  spread: true,
  balance: true,
  biasCorrection: true,
  rounding: 'gptq',
  paths: 1,
  slots: { norm: 0, attention: 0, gelu: 0 },
  residualMargin: 1,
  wideTokens: false,
  wideQueries: false,
  fineHead: false,
};

const ACCURATE_1: PtqSettings = {
  ...PTQ_1,
  rotation: { stream: true, values: true, keys: false },
  slots: { norm: 0, attention: 0, gelu: 32 },
  residualMargin: 1.5,
  wideTokens: true,
};

/** The recipes by name. Frozen: other settings are another name. */
export const PTQ_RECIPES: Readonly<Record<PtqRecipe, PtqSettings>> = {
  'ptq@1': PTQ_1,
  'accurate@1': ACCURATE_1,
  'accurate@2': { ...ACCURATE_1, paths: 8, wideQueries: true, fineHead: true },
};

/** @throws IvitError `E_RECIPE` for changes that the recipe cannot take, or that do not go together. */
export function checkChanges(recipe: Recipe, changes: Partial<PtqSettings> | undefined): void {
  if (changes === undefined || Object.keys(changes).length === 0) return;
  if (recipe === 'paper@1') {
    throw new IvitError('E_RECIPE', 'paper@1 has no parts to change', { hint: 'Change ptq@1 or accurate@1.' });
  }
  const { rows, slots } = { ...PTQ_RECIPES[recipe], ...changes };
  if (rows === 'tensor' && slots.norm + slots.attention + slots.gelu > 0) {
    throw new IvitError('E_RECIPE', 'slots need one scale per token', {
      hint: "Give slots of 0 with rows: 'tensor', or leave rows as they are.",
    });
  }
}

/**
 * Settings changed, as a recipe id records them: `+rows=tensor,rounding=nearest`, empty for none.
 */
export function changesId(changes: Partial<PtqSettings>): string {
  const parts = Object.entries(changes).map(([name, value]) => `${name}=${textOf(value)}`);
  return parts.length === 0 ? '' : `+${parts.sort().join(',')}`;
}

function textOf(value: unknown): string {
  return typeof value === 'object' ? JSON.stringify(value).replaceAll('"', '') : String(value);
}
