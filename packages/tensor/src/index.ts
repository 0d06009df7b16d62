export { aligned, allocate, type Lease } from './allocate.js';
export {
  DTYPES,
  type DType,
  type DTypeInfo,
  dtypeOf,
  type IntegerArray,
  makeArray,
  viewBytes,
} from './dtype.js';
export type { TensorError, TensorErrorCode } from './errors.js';
export {
  createPackedMatrix,
  type GemmLeft,
  gemm,
  gemmPacked,
  isGemmLeft,
  type PackedMatrix,
  packMatrix,
  repackMatrix,
} from './gemm.js';
export { checkShape, denseStrides, elementCount, MAX_RANK } from './shape.js';
export {
  broadcastView,
  checkView,
  copyView,
  denseView,
  isDenseView,
  planView,
  type View,
  type ViewPlan,
  viewBounds,
} from './view.js';
