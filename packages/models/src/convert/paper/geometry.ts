import { IvitError } from '@ivit/program';
import { type PaperTensors, shapeOfTensor } from './numbers.js';

/** Geometry that the shapes of a paper checkpoint tell. */
export interface PaperGeometry {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly dim: number;
  readonly depth: number;
  readonly mlpDim: number;
  readonly classes: number;
}

/** Names of the tensors whose shapes tell the geometry. */
export interface GeometryNames {
  /** `[D,3,p,p]` */
  readonly patchEmbed: string;
  /** `[1,1+T,D]` */
  readonly position: string;
  /** `[M,D]` of a block. */
  readonly fc1: (index: number) => string;
  /** `[classes,D]` */
  readonly head: string;
}

function refuse(what: string, where: string): never {
  throw new IvitError('E_MODEL_SHAPE', what, {
    where,
    hint: 'This is no ViT of the paper, or the checkpoint is damaged.',
  });
}

/** @throws IvitError `E_MODEL_SHAPE`, `E_MODEL_MISSING_TENSOR` */
export function readGeometry(source: PaperTensors, names: GeometryNames): PaperGeometry {
  const kernel = shapeOfTensor(source, names.patchEmbed);
  const [dim, colors, patchSize, patchWidth] = kernel;
  if (dim === undefined || patchSize === undefined || kernel.length !== 4 || colors !== 3 || patchSize !== patchWidth) {
    return refuse(`${names.patchEmbed} is [${kernel.join(',')}] instead of [dim,3,patch,patch]`, source.where);
  }
  const position = shapeOfTensor(source, names.position);
  const rows = position[1] ?? 0;
  const side = Math.floor(Math.sqrt(Math.max(rows - 1, 0)) + 0.5);
  if (position.length !== 3 || side < 1 || side * side !== rows - 1) {
    return refuse(`${names.position} is [${position.join(',')}] instead of [1, 1 + side², ${dim}]`, source.where);
  }
  let depth = 0;
  while (source.tensors.has(names.fc1(depth))) depth += 1;
  return {
    imageSize: side * patchSize,
    patchSize,
    dim,
    depth,
    mlpDim: shapeOfTensor(source, names.fc1(0))[0] ?? refuse(`${names.fc1(0)} has no dimension`, source.where),
    classes: shapeOfTensor(source, names.head)[0] ?? refuse(`${names.head} has no dimension`, source.where),
  };
}
