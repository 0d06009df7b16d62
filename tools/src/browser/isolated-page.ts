/** A page with cross-origin isolation: the CPU backend with threads. */
import { cpuChecks, isolatedSubjects, readModelMaterial } from './cpu-checks.js';
import { postReport } from './post-report.js';

await postReport(async (material, read) => {
  const createWorker = () => new Worker(new URL('/own/place.js', import.meta.url), { type: 'module' });
  return cpuChecks(await isolatedSubjects(createWorker), await readModelMaterial(material, read));
});
