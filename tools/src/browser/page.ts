/** A page that allows no WebAssembly: pixels, answers and files as in Node, on the reference backend. */
import { allChecks } from './checks.js';
import { defaultChecks, readModelMaterial } from './cpu-checks.js';
import { postReport } from './post-report.js';

await postReport(async (material, read) => ({
  ...(await allChecks(material, read)),
  ...(await defaultChecks(await readModelMaterial(material, read))),
}));
