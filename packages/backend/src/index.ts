export type {
  Backend,
  CompileOptions,
  Executable,
  ExecutableInfo,
  Outputs,
  OutputTensor,
  ProbeOptions,
  ProbeResult,
  RunOptions,
} from './v1/backend.js';
export { BACKEND_CODES, type BackendCode } from './v1/codes.js';
