export { interpret } from './exact/interpret.js';
export { randomChain } from './random/chains.js';
export { CASE_OPS, randomProgram } from './random/op-cases.js';
export { createRandom, type Random } from './random/random.js';
export { runBackendConformance } from './run-backend-conformance.js';
export type { Runner, Target } from './runner.js';
