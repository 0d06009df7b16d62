import type { FloatTensor, RecipeDetails, SwinWeights, VitWeights } from '@ivit/models';
import { geluRampTable, iGeluRampTable, shiftGeluRampTable } from '@ivit/nonlinear/convert';
import type { Program } from '@ivit/program';
import type { BlockRun } from './block.js';
import type { PartChoices } from './block-context.js';
import { decodeTree, digest, encodeTree } from './codec.js';
import { programDetails } from './details.js';
import { type NonlinearChoice, nonlinearId } from './nonlinear-choice.js';
import type { RotationChoice } from './rotate-block.js';
import type { LayerSensitivity } from './sensitivity.js';
import { changesId, PTQ_RECIPES, type PtqRecipe } from './settings.js';
import { checkAborted, type StageRunner } from './stage.js';
import type { CalibrationPhoto, EdgeReport, QuantizeResult, RecipeOptions } from './types.js';
import { weightBitsId } from './weight-bits.js';

/** Changes whenever the same inputs would give other integers, so that older cache entries are not taken. */
const STATE_VERSION = 'ptq/4';

/** What one part of a model comes to: its integers, and beside them what the report and a size budget need. */
export interface PartResult {
  readonly edges: readonly EdgeReport[];
  readonly sensitivities?: readonly LayerSensitivity[];
}

/** One run of a recipe, as an architecture sees it. */
export interface PtqRun extends BlockRun {
  /**
   * A part of the model, in the order of the program: from the cache, or computed and put there.
   *
   * @param passes of one photo.
   */
  part<Result extends PartResult>(name: string, passes: number, compute: () => Promise<Result>): Promise<Result>;
}

/** What the recipes ask of an architecture. */
export interface PtqModel {
  readonly architecture: 'vit' | 'swin';
  readonly weights: VitWeights | SwinWeights;
  /** Every layer with weights, in the order of the program. */
  readonly layers: readonly string[];
  /** Of one photo through the whole model, for progress. */
  readonly passes: number;
  /** Every float tensor, in a fixed order. */
  tensors(): Iterable<readonly [string, FloatTensor, ...unknown[]]>;
  /** The same function with other weights. */
  rotated(choice: RotationChoice): PtqModel;
  /** Decides every integer; what makes a program of them comes back. */
  quantize(photos: readonly CalibrationPhoto[], run: PtqRun): Promise<(details: RecipeDetails) => Program>;
}

/** What one run of the recipe is asked for besides the caller's options. */
export interface PtqPlan {
  readonly recipe: PtqRecipe;
  /** Of the layers that do not have 8. */
  readonly weightBits: ReadonlyMap<string, number>;
  /** Measure what fewer bits would cost. */
  readonly measured: boolean;
  /** Which run this is, of how many: for progress. */
  readonly run: number;
  readonly runs: number;
}

export interface PtqResult extends QuantizeResult {
  readonly sensitivities: readonly LayerSensitivity[];
}

/** What identifies a run: model, photos, recipe and choices. One part of every cache key. */
function* identity(model: PtqModel, photos: readonly CalibrationPhoto[], choices: string): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const { config, preprocess, sources } = model.weights;
  yield encoder.encode(
    JSON.stringify([STATE_VERSION + choices, config, preprocess, sources, photos.map((p) => p.sha256)]),
  );
  for (const [, { data }] of model.tensors()) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (const { pixels } of photos) yield pixels;
}

/** The recipes `ptq@1`, `accurate@1` and `accurate@2`: part by part on the quantized stream. */
export async function quantizePtq(model: PtqModel, options: RecipeOptions, plan: PtqPlan): Promise<PtqResult> {
  const { recipe, weightBits, measured } = plan;
  const { photos, backend, signal, changes = {}, nonlinear = {} } = options;
  const settings = { ...PTQ_RECIPES[recipe], ...changes };
  const own = settings.rotation === undefined ? model : model.rotated(settings.rotation);
  const recipeId = `${recipe}${changesId(changes)}${nonlinearId(recipe, nonlinear)}${weightBitsId(recipe, model.layers, weightBits)}`;
  const progress = createProgress(options, photos.length * model.passes, plan);
  const runner: StageRunner = { backend, signal, advance: () => progress.advance(1) };
  const keyOf = cacheKeys(own, options, changesId(changes) + choicesOf(nonlinear, plan));
  const edges: EdgeReport[] = [];
  const sensitivities: LayerSensitivity[] = [];
  const choices: PartChoices = { settings, nonlinear, weightBits, measured };
  const build = await own.quantize(photos, {
    choices,
    geluTable: geluTableOf(nonlinear),
    runner,
    async part(name, passes, compute) {
      checkAborted(signal);
      progress.enter(name);
      const result = await cached(
        options,
        () => keyOf(name),
        compute,
        () => progress.advance(passes * photos.length),
      );
      edges.push(...result.edges);
      sensitivities.push(...(result.sensitivities ?? []));
      return result;
    },
  });
  const program = build(programDetails(own.weights, photos, recipeId, own.architecture));
  return { program, report: { recipe, recipeId, photos: photos.length, edges }, sensitivities };
}

/** Tells the caller how far a run is; a unit is one pass of one photo. */
function createProgress({ onProgress }: RecipeOptions, each: number, { run, runs }: PtqPlan) {
  const total = each * runs;
  let stage = 'embed';
  let done = each * run;
  const tell = (): void => onProgress?.({ stage, done, total });
  tell();
  return {
    enter(name: string): void {
      stage = name;
    },
    advance(passes: number): void {
      done += passes;
      tell();
    },
  };
}

/** Keys of a run's parts; nothing is hashed without a cache. */
function cacheKeys(model: PtqModel, { photos, cache }: RecipeOptions, choices: string): (part: string) => string {
  const run = cache === undefined ? '' : digest(identity(model, photos, choices));
  return (part) => digest([new TextEncoder().encode(`${run}/${part}`)]);
}

/** A part from the cache, or computed and put there. */
async function cached<Result extends object>(
  { cache }: RecipeOptions,
  keyOf: () => string,
  compute: () => Promise<Result>,
  onHit: () => void,
): Promise<Result> {
  if (cache === undefined) return compute();
  const key = keyOf();
  const bytes = await cache.get(key);
  const stored = bytes === undefined ? undefined : decodeTree<Result>(bytes);
  if (stored !== undefined) {
    onHit();
    return stored;
  }
  const result = await compute();
  await cache.put(key, encodeTree(result));
  return result;
}

/** What makes a run's integers another's. */
function choicesOf(nonlinear: NonlinearChoice, { recipe, weightBits, measured }: PtqPlan): string {
  const bits = weightBits.size === 0 ? '' : JSON.stringify([...weightBits]);
  return `${recipe}${nonlinearId(recipe, nonlinear)}${bits}${measured ? '+measured' : ''}`;
}

function geluTableOf({ gelu = 'exact' }: NonlinearChoice): Int16Array {
  if (gelu === 'exact') return geluRampTable();
  return gelu === 'i-bert' ? iGeluRampTable() : shiftGeluRampTable();
}
