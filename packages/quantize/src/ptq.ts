import {
  buildRecipeVit,
  createBlockActivations,
  type RecipeBlock,
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
import { checkAborted, type StageRunner } from './stage.js';
import type { CalibrationPhoto, EdgeReport, QuantizeOptions, QuantizeResult } from './types.js';

/** Changes whenever the same inputs would give other integers, so that older cache entries are not taken. */
const STATE_VERSION = 'ptq@1/1';

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

/** Recipe `ptq@1`: block by block on the quantized stream. */
export async function quantizePtq(options: QuantizeOptions): Promise<QuantizeResult> {
  const { weights, photos, backend, signal, cache, nonlinear = {} } = options;
  const choices = nonlinearId('ptq@1', nonlinear);
  const { config } = weights;
  const { depth } = config;
  const total = photos.length * (EMBED_PASSES + depth * BLOCK_PASSES + HEAD_PASSES);
  let stage = 'embed';
  let done = 0;
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
  const first = await part('embed', EMBED_PASSES, () => quantizeEmbed(weights, photos, runner));
  edges.push(...first.edges);
  let streams: Streams = first.streams;
  const geluTable = geluTableOf(nonlinear);
  const blocks: RecipeBlock[] = [];
  const probabilities = new Float32Array(config.heads * tokensSquared(weights));
  let buffers: ReturnType<typeof createBlockActivations>[] | undefined;
  for (let index = 0; index < depth; index += 1) {
    const result = await part(`block ${index + 1}/${depth}`, BLOCK_PASSES, () => {
      buffers ??= photos.map(() => ({ ...createBlockActivations(config), probabilities }));
      return quantizeBlock(weights, index, streams, buffers, geluTable, runner, nonlinear);
    });
    blocks.push(result.block);
    edges.push(...result.edges);
    streams = result.streams;
  }
  const last = await part('head', HEAD_PASSES, () => quantizeHead(weights, streams, runner, nonlinear));
  edges.push(...last.edges);
  const recipe: VitRecipe = { config, embed: first.embed, blocks, head: last.head };
  const recipeId = `ptq@1${choices}`;
  const program: Program = buildRecipeVit(recipe, geluTable, programDetails(weights, photos, recipeId));
  return { program, report: { recipe: 'ptq@1', recipeId, photos: photos.length, edges } };
}

function geluTableOf({ gelu = 'exact' }: NonlinearChoice): Int16Array {
  if (gelu === 'exact') return geluRampTable();
  return gelu === 'i-bert' ? iGeluRampTable() : shiftGeluRampTable();
}

function tokensSquared(weights: VitWeights): number {
  const side = weights.config.imageSize / weights.config.patchSize;
  return (side * side + 1) * (side * side + 1);
}
