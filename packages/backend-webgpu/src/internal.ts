/** For checks of this repository; outside of semantic versioning. */
export { createWebgpuBackendWith, type PlanHook } from './backend.js';
export { type DevicePlan, type PlannedDispatch, planProgram } from './plan/plan-program.js';
