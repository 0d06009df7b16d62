import { IvitError } from '@ivit/program';
import { type SwinConfig, swinStages } from '../../swin/geometry.js';
import { relativePositionIndex, shiftMask } from '../../swin/windows.js';
import { hasTensor, numbersOf, type PaperTensors, shapeOfTensor } from './numbers.js';

function refuse(source: PaperTensors, what: string): never {
  throw new IvitError('E_MODEL_SHAPE', what, {
    where: source.where,
    hint: 'This is no Swin of the paper, or the checkpoint is damaged.',
  });
}

function blockName(stage: number, block: number): string {
  return `layers.${stage}.blocks.${block}`;
}

function tableName(stage: number, block: number): string {
  return `${blockName(stage, block)}.attn.relative_position_bias_table`;
}

/** Window side and heads of a block, from its bias table `[(2w-1)², heads]`. */
function readTable(source: PaperTensors, stage: number): { window: number; heads: number } {
  const name = tableName(stage, 0);
  const [rows, heads, ...rest] = shapeOfTensor(source, name);
  const side = Math.floor(Math.sqrt(rows ?? 0) + 0.5);
  if (
    rows === undefined ||
    heads === undefined ||
    heads < 1 ||
    rest.length > 0 ||
    side * side !== rows ||
    side % 2 === 0
  ) {
    return refuse(source, `${name} is [${shapeOfTensor(source, name).join(',')}] instead of [(2·window-1)², heads]`);
  }
  return { window: (side + 1) / 2, heads };
}

/** Blocks of each stage, by the names of all tensors: a gap shows as a missing tensor later. */
function countBlocks(source: PaperTensors): readonly number[] {
  const depths: number[] = [];
  for (const name of source.tensors.keys()) {
    const match = /^layers\.(\d{1,3})\.blocks\.(\d{1,3})\./.exec(name);
    if (match === null) continue;
    const stage = Number(match[1]);
    while (depths.length <= stage) depths.push(0);
    depths[stage] = Math.max(depths[stage] as number, Number(match[2]) + 1);
  }
  const empty = depths.indexOf(0);
  if (depths.length === 0 || empty >= 0) refuse(source, `the stage layers.${Math.max(empty, 0)} has no blocks`);
  return depths;
}

/** Windows of a stage's grid, from the mask `[windows,N,N]` that its second block has if it shifts. */
function maskedWindows(source: PaperTensors, stage: number): number | undefined {
  const name = `${blockName(stage, 1)}.attn_mask`;
  return hasTensor(source, name) ? shapeOfTensor(source, name)[0] : undefined;
}

/**
 * Tokens per side of the first stage. A shifted block's mask counts the windows; a stage of two blocks without a mask is
 * one window.
 */
function firstSide(source: PaperTensors, depths: readonly number[], windows: readonly number[]): number | undefined {
  for (const [stage, depth] of depths.entries()) {
    const window = windows[stage] as number;
    const count = maskedWindows(source, stage);
    // A window of one token never shifts, so that its grid stays unknown.
    if (count === undefined && (depth < 2 || window === 1)) continue;
    const perSide = Math.floor(Math.sqrt(count ?? 1) + 0.5);
    if (perSide * perSide !== (count ?? 1)) refuse(source, `${count} masks are no square of windows`);
    return window * perSide * 2 ** stage;
  }
  return undefined;
}

/** The checkpoint's own index tables must be those the program is built with. */
function checkBuffers(source: PaperTensors, config: SwinConfig): void {
  for (const [index, stage] of swinStages(config).entries()) {
    for (const [at, { side, window, shift }] of stage.blocks.entries()) {
      const name = blockName(index, at);
      const tokens = window * window;
      const positions = `${name}.attn.relative_position_index`;
      if (hasTensor(source, positions)) {
        const found = numbersOf(source, positions, tokens * tokens);
        if (relativePositionIndex(window).some((entry, pair) => entry !== found[pair])) {
          refuse(source, `${positions} is not that of a ${window}x${window} window`);
        }
      }
      const mask = `${name}.attn_mask`;
      if ((shift !== 0) !== hasTensor(source, mask)) {
        refuse(source, shift === 0 ? `${mask} belongs to no shifted block` : `the shifted block ${name} has no mask`);
      }
      if (shift === 0) continue;
      const found = numbersOf(source, mask, side * side * tokens);
      if (shiftMask(side, window, shift).some((entry, pair) => found[pair] !== (entry === 0 ? 0 : -100))) {
        refuse(source, `${mask} is not 0 and -100 as a shift by ${shift} of ${side}x${side} tokens makes it`);
      }
    }
  }
}

/** Geometry of the paper's Swin. */
export interface PaperSwinGeometry {
  readonly config: SwinConfig;
  readonly classes: number;
  readonly mlpDims: readonly number[];
}

/**
 * Geometry that a Swin state dict of I-ViT tells by itself: window and heads by the bias tables, the image by the masks.
 *
 * @param imageSize Needed only where no stage has two blocks.
 * @throws IvitError `E_MODEL_SHAPE`, `E_MODEL_MISSING_TENSOR`, `E_MODEL_CONFIG`
 */
export function readSwinGeometry(source: PaperTensors, imageSize: number | undefined): PaperSwinGeometry {
  const kernel = shapeOfTensor(source, 'patch_embed.proj.weight_integer');
  const [dim, colors, patchSize, patchWidth] = kernel;
  if (dim === undefined || patchSize === undefined || kernel.length !== 4 || colors !== 3 || patchSize !== patchWidth) {
    return refuse(source, `patch_embed.proj.weight_integer is [${kernel.join(',')}] instead of [dim,3,patch,patch]`);
  }
  const depths = countBlocks(source);
  const tables = depths.map((_, stage) => readTable(source, stage));
  const side = firstSide(
    source,
    depths,
    tables.map(({ window }) => window),
  );
  const found = side === undefined ? imageSize : side * patchSize;
  if (found === undefined) {
    throw new IvitError('E_MODEL_CONFIG', 'the image size is unknown: no block shifts its windows', {
      where: source.where,
      hint: 'Pass the image size in the configuration.',
    });
  }
  if (imageSize !== undefined && imageSize !== found) {
    throw new IvitError(
      'E_MODEL_CONFIG',
      `the image size is given as ${imageSize}, but the masks are made for ${found}`,
      {
        where: source.where,
        hint: 'Take the configuration that belongs to these weights.',
      },
    );
  }
  const config: SwinConfig = {
    imageSize: found,
    patchSize,
    dim,
    depths,
    heads: tables.map(({ heads }) => heads),
    windowSize: tables.reduce((largest, { window }) => Math.max(largest, window), 0),
  };
  checkBuffers(source, config);
  return {
    config,
    classes: shapeOfTensor(source, 'head.weight_integer')[0] ?? refuse(source, 'head.weight_integer has no dimension'),
    mlpDims: depths.map((_, stage) => {
      const name = `${blockName(stage, 0)}.mlp.fc1.weight_integer`;
      return shapeOfTensor(source, name)[0] ?? refuse(source, `${name} has no dimension`);
    }),
  };
}
