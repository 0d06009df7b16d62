import {
  buildRecipeVit,
  createBlockActivations,
  type RecipeBlock,
  tokenCount,
  type VitRecipe,
  type VitWeights,
} from '@ivit/models';
import { geluRampTable, iGeluRampTable, shiftGeluRampTable } from '@ivit/nonlinear/convert';
import type { Program } from '@ivit/program';
import { BLOCK_PASSES, quantizeBlock } from './block.js';
import type { Streams } from './block-context.js';
import { tensorsOf } from './check.js';
import { decodeTree, digest, encodeTree } from './codec.js';
import { programDetails } from './details.js';
import { EMBED_PASSES, quantizeEmbed } from './embed.js';
import { HEAD_PASSES, quantizeHead } from './head.js';
import { type NonlinearChoice, nonlinearId } from './nonlinear-choice.js';
import { rotateVit } from './rotate-vit.js';
import type { LayerSensitivity } from './sensitivity.js';
import { changesId, PTQ_RECIPES, type PtqRecipe, type PtqSettings } from './settings.js';
import { checkAborted, type StageRunner } from './stage.js';
import type { CalibrationPhoto, EdgeReport, QuantizeOptions, QuantizeResult } from './types.js';
import { weightBitsId } from './weight-bits.js';

/** Changes whenever the same inputs would give other integers, so that older cache entries are not taken. */
const STATE_VERSION = 'ptq/4';

/** What identifies a run: model, photos, recipe and choices. One part of every cache key. */
function runDigest(weights: VitWeights, photos: readonly CalibrationPhoto[], choices: string): string {
  return digest(chunks(weights, photos, choices));
}

function* chunks(weights: VitWeights, photos: readonly CalibrationPhoto[], choices: string): Generator<Uint8Array> {
  const encoder = new TextEncoder();
  const { config, preprocess, sources } = weights;
  yield encoder.encode(
    JSON.stringify([STATE_VERSION + choices, config, preprocess, sources, photos.map((p) => p.sha256)]),
  );
  for (const [, { data }] of tensorsOf(weights)) yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  for (const { pixels } of photos) yield pixels;
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

/** The recipes `ptq@1`, `accurate@1` and `accurate@2`: block by block on the quantized stream. */
export async function quantizePtq(options: QuantizeOptions, plan: PtqPlan): Promise<PtqResult> {
  const { recipe } = plan;
  const { changes = {} } = options;
  const settings: PtqSettings = { ...PTQ_RECIPES[recipe], ...changes };
  const { photos, backend, signal, cache, nonlinear = {} } = options;
  const weights = settings.rotation === undefined ? options.weights : rotateVit(options.weights, settings.rotation);
  const { weightBits, measured } = plan;
  const { config } = weights;
  const recipeId = `${recipe}${changesId(changes)}${nonlinearId(recipe, nonlinear)}${weightBitsId(recipe, config, weightBits)}`;
  const choices = changesId(changes) + choicesOf(nonlinear, plan);
  const { depth } = config;
  const each = photos.length * (EMBED_PASSES + depth * BLOCK_PASSES + HEAD_PASSES);
  const total = each * plan.runs;
  let stage = 'embed';
  let done = each * plan.run;
  const tell = (): void => options.onProgress?.({ stage, done, total });
  const runner: StageRunner = {
    backend,
    signal,
    advance() {
      done += 1;
      tell();
    },
  };
  tell();
  const identity = cache === undefined ? '' : runDigest(weights, photos, choices);
  const keyOf = (part: string): string => digest([new TextEncoder().encode(`${identity}/${part}`)]);

  /** A part from the cache, or computed and put there. */
  async function part<Result extends object>(
    name: string,
    passes: number,
    compute: () => Promise<Result>,
  ): Promise<Result> {
    checkAborted(signal);
    stage = name;
    const start = done;
    if (cache !== undefined) {
      const bytes = await cache.get(keyOf(name));
      const stored = bytes === undefined ? undefined : decodeTree<Result>(bytes);
      if (stored !== undefined) {
        done = start + passes * photos.length;
        tell();
        return stored;
      }
    }
    const result = await compute();
    if (cache !== undefined) await cache.put(keyOf(name), encodeTree(result));
    return result;
  }

  const edges: EdgeReport[] = [];
  const first = await part('embed', EMBED_PASSES, () =>
    quantizeEmbed(weights, photos, runner, weightBits.get('embed')),
  );
  edges.push(...first.edges);
  let streams: Streams = first.streams;
  const geluTable = geluTableOf(nonlinear);
  const blocks: RecipeBlock[] = [];
  const sensitivities: LayerSensitivity[] = [];
  const probabilities = new Float32Array(config.heads * tokensSquared(weights));
  let buffers: ReturnType<typeof createBlockActivations>[] | undefined;
  for (let index = 0; index < depth; index += 1) {
    const result = await part(`block ${index + 1}/${depth}`, BLOCK_PASSES, () => {
      buffers ??= photos.map(() => ({ ...createBlockActivations(config), probabilities }));
      return quantizeBlock(weights, index, streams, buffers, geluTable, runner, {
        settings,
        nonlinear,
        weightBits,
        measured,
      });
    });
    blocks.push(result.block);
    edges.push(...result.edges);
    streams = result.streams;
    sensitivities.push(...(result.sensitivities ?? []));
  }
  const last = await part('head', HEAD_PASSES, () =>
    quantizeHead(weights, streams, runner, settings, nonlinear, weightBits.get('head')),
  );
  edges.push(...last.edges);
  const integers: VitRecipe = { config, embed: first.embed, blocks, head: last.head };
  const program: Program = buildRecipeVit(integers, geluTable, programDetails(weights, photos, recipeId));
  return { program, report: { recipe, recipeId, photos: photos.length, edges }, sensitivities };
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

function tokensSquared(weights: VitWeights): number {
  return tokenCount(weights.config) * tokenCount(weights.config);
}
