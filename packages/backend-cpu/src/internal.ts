/** For checks of this repository; outside of semantic versioning. */
export { createCpuBackendWith, type Select } from './backend.js';
export { createTrial } from './engine.js';
export { WORKER_SOURCE } from './generated/worker-source.js';
export type { Relaxed } from './plan/stage.js';
export type { ProductTrial, TrialProduct } from './product-trial.js';
export { type Choice, isExact, MEANINGS, probeProducts, selectProduct, type Trial, type Verdict } from './select.js';
