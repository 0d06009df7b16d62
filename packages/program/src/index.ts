export { abortError, throwIfAborted } from './backends/abort.js';
export { assertMemory } from './backends/assert-memory.js';
export { type CompileRequest, type CompileWishes, compileRequest } from './backends/compile-request.js';
export { RunQueue, type RunWishes } from './backends/run-queue.js';
export { createProgramBuilder, type ProgramBuilder, type ProgramDetails } from './builder.js';
export { canonicalBytes, canonicalJson, modelId } from './canonical.js';
export { DTYPE_RANGE, INT32_MAX, littleEndianBytes } from './dtype.js';
export { IvitError, type IvitErrorDetails } from './error.js';
export { type Box, findNeeds } from './needs.js';
export { OP_VERSIONS, opVersion, specOf } from './op-version.js';
export { printProgram } from './print.js';
export { selfCheckPixels } from './self-check.js';
export { sha256Hex } from './sha256.js';
export type {
  Addend,
  ConcatOp,
  Constant,
  DType,
  Exponential,
  GatherOp,
  InputDescription,
  IntArray,
  Interval,
  LayernormOp,
  LinearOp,
  LookupOp,
  MatmulOp,
  MeanOp,
  Op,
  Operand,
  OpName,
  Param,
  Program,
  ProgramFacts,
  ProgramLimits,
  Provenance,
  RamplookupOp,
  RequantizeOp,
  RowquantizeOp,
  RowscaleOp,
  SelfCheck,
  ShiftgeluOp,
  SoftmaxOp,
  SpecId,
  ValidatedProgram,
  ValueType,
  View,
} from './types.js';
export { DEFAULT_LIMITS, NAME_PATTERN, type ValidateOptions, validate } from './validate.js';
export { isDense, reshapeView, transposeView } from './view.js';
