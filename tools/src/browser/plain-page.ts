/** A page without cross-origin isolation: the CPU backend on one thread. */
import { cpuChecks, plainSubjects, readModelMaterial } from './cpu-checks.js';
import { postReport } from './post-report.js';

await postReport(async (material, read) => cpuChecks(plainSubjects(), await readModelMaterial(material, read)));
