import type { Runner, Target } from './runner.js';
import { chainTests } from './suite/chains.js';
import { compileTests } from './suite/compile.js';
import { manifestTests } from './suite/manifest.js';
import { modelTests } from './suite/models.js';
import { opTests } from './suite/ops.js';
import { runTests } from './suite/run.js';
import { traceTests } from './suite/trace.js';

/**
 * Registers the conformance tests of a backend with the runner that is passed in. What is tested follows from the backend's
 * own `ops`: a declared op must give every bit of every vector, an undeclared one must be refused with E_UNSUPPORTED_OP.
 */
export function runBackendConformance(runner: Runner, target: Target): void {
  manifestTests(runner, target);
  opTests(runner, target);
  chainTests(runner, target);
  modelTests(runner, target);
  compileTests(runner, target);
  runTests(runner, target);
  traceTests(runner, target);
}
