export { BACKEND_CODES, type BackendCode } from './v1/codes.js';
export type {
  Backend,
  CompileOptions,
  Executable,
  ExecutableInfo,
  OutputTensor,
  Outputs,
  ProbeOptions,
  ProbeResult,
  RunOptions,
} from './v1/backend.js';
