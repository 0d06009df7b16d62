/** A page with WebGPU: the backend on the browser's own adapter. */
import type { WebgpuDevice } from '@ivit/backend-webgpu';
import { goldenFound } from '../vectors/golden-checks.js';
import { goldenSubjects } from '../webgpu/golden-runs.js';
import { type PageMaterial, servedFolders } from '../webgpu/page-material.js';
import { checkSubject, webgpuSubjects } from '../webgpu/subjects.js';
import { readModelMaterial } from './cpu-checks.js';
import { postReport } from './post-report.js';

/** What is used of the entry that pages have. */
interface Entry {
  requestAdapter(): Promise<{ requestDevice(): Promise<WebgpuDevice> } | null>;
}

/** One device for all subjects, so that pipelines are compiled once. */
async function openDevice(): Promise<WebgpuDevice> {
  const { gpu } = Reflect.get(globalThis, 'navigator') as { readonly gpu?: Entry };
  const adapter = await gpu?.requestAdapter();
  if (adapter === null || adapter === undefined) throw new Error('the page has no WebGPU adapter');
  return adapter.requestDevice();
}

await postReport<PageMaterial>(async (material, read, tell) => {
  const device = await openDevice();
  let found: Record<string, string> = {};
  if (material.parts.includes('golden')) {
    found = await goldenFound(servedFolders(material, read), goldenSubjects(material.choice, { device }), { tell });
  }
  if (material.parts.includes('kit')) {
    const models = await readModelMaterial(material, read);
    for (const subject of webgpuSubjects({ device }, material)) {
      const began = performance.now();
      found = { ...found, ...(await checkSubject(subject, models)) };
      tell(`${subject.name}: ${((performance.now() - began) / 1000).toFixed(1)} s`);
    }
  }
  return found;
});
