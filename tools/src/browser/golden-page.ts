/** A page with cross-origin isolation: golden models on the CPU backend with threads. */
import { servedFolders } from '../webgpu/page-material.js';
import { cpuGoldenFound, type GoldenMaterial } from './golden-checks.js';
import { postReport } from './post-report.js';

await postReport<GoldenMaterial>((material, read, tell) => cpuGoldenFound(servedFolders(material, read), tell));
