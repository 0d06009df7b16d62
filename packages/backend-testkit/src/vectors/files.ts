import concat from '../../vectors/concat.v1.json' with { type: 'json' };
import gather from '../../vectors/gather.v1.json' with { type: 'json' };
import layernorm from '../../vectors/layernorm.v1.json' with { type: 'json' };
import linear from '../../vectors/linear.v1.json' with { type: 'json' };
import lookup from '../../vectors/lookup.v1.json' with { type: 'json' };
import matmul from '../../vectors/matmul.v1.json' with { type: 'json' };
import matmulLog2 from '../../vectors/matmul.v2.json' with { type: 'json' };
import mean from '../../vectors/mean.v1.json' with { type: 'json' };
import models from '../../vectors/models.v1.json' with { type: 'json' };
import ramplookup from '../../vectors/ramplookup.v1.json' with { type: 'json' };
import requantize from '../../vectors/requantize.v1.json' with { type: 'json' };
import rowquantize from '../../vectors/rowquantize.v1.json' with { type: 'json' };
import rowscale from '../../vectors/rowscale.v1.json' with { type: 'json' };
import shiftgelu from '../../vectors/shiftgelu.v1.json' with { type: 'json' };
import softmax from '../../vectors/softmax.v1.json' with { type: 'json' };
import softmaxLog2 from '../../vectors/softmax.v2.json' with { type: 'json' };
import { readVectorFile, type VectorFile } from './read.js';

/** Imported, not fetched: they are in the built package, and a page that bundles it needs nothing else. */
const FILES: readonly unknown[] = [
  requantize,
  rowscale,
  rowquantize,
  linear,
  matmul,
  softmax,
  shiftgelu,
  layernorm,
  lookup,
  ramplookup,
  mean,
  gather,
  concat,
  softmaxLog2,
  matmulLog2,
  models,
];

/** The vector files published with this package: one per op version and one of whole models. */
export function vectorFiles(): readonly VectorFile[] {
  return FILES.map(readVectorFile);
}
