/**
 * The dependency graph of the packages: which siblings each one may import (folder names; a subpath limits the row to it).
 * biome.json repeats it as import restrictions; `checkGraph` proves that both, and every package.json, agree.
 */
export const DEPENDENCY_TABLE: Readonly<Record<string, readonly string[]>> = {
  dyadic: [],
  tensor: [],
  nonlinear: ['dyadic'],
  program: ['dyadic', 'tensor'],
  formats: ['tensor', 'program'],
  models: ['formats', 'program', 'nonlinear', 'dyadic'],
  quantize: ['models', 'program', 'nonlinear', 'dyadic', 'backend'],
  image: [],
  backend: ['program'],
  'backend-testkit': ['backend', 'program', 'tensor'],
  'backend-reference': ['backend', 'program', 'tensor', 'dyadic', 'nonlinear'],
  'backend-cpu': ['backend', 'program', 'tensor', 'dyadic', 'nonlinear'],
  'backend-webgpu': ['backend', 'program', 'tensor', 'dyadic', 'nonlinear'],
  runtime: ['program', 'formats/program', 'image', 'backend'],
  'model-cifar10': [],
};

/** The front door: may import every package above. */
export const FRONT_DOOR = 'ivit';

/** Packages whose sources hold no floating point outside `src/convert/`, and never import from it at run time. */
export const INTEGER_PACKAGES: readonly string[] = [
  'dyadic',
  'tensor',
  'nonlinear',
  'program',
  'backend',
  'backend-testkit',
  'backend-reference',
  'backend-cpu',
  'backend-webgpu',
  'runtime',
  'image',
];

/** Integer packages whose sources also hold no BigInt: their loops run once per element. */
export const HOT_PACKAGES: readonly string[] = [
  'dyadic',
  'tensor',
  'nonlinear',
  'backend-reference',
  'backend-cpu',
  'backend-webgpu',
  'image',
];

/** Single folders of other packages on the run path, under the same rule. */
export const INTEGER_FOLDERS: readonly string[] = ['packages/formats/src/program'];

/** Float coefficients of the resampling filters are computed once per size, then rounded to integers. */
export const FLOAT_FOLDERS: readonly string[] = ['packages/image/src/coefficients'];
