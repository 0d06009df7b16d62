/** What pages prove of the CPU backend, and what must come out of it. Uses nothing of Node. */
import type { CpuBackendOptions } from '@ivit/backend-cpu';
import { createCpuBackend } from '@ivit/backend-cpu';
import { loadModel } from 'ivit';
import { checkSubject, expectedOf, precompiled, SHORT, type Subject, threaded } from '../conformance/cpu-subjects.js';
import type { ModelMaterial } from '../conformance/kit-subject.js';
import type { Material } from './checks.js';
import type { Read } from './post-report.js';

export type CreateWorker = NonNullable<CpuBackendOptions['createWorker']>;

/** A page with cross-origin isolation: threads, found where the backend looks for them, or made by the page. */
export async function isolatedSubjects(createWorker: CreateWorker): Promise<readonly Subject[]> {
  const own = { ...threaded(2, { createWorker }), name: 'cpu, 2 thread(s), createWorker', only: SHORT };
  return [threaded(1), threaded(2), threaded(4), own, ...(await precompiled())];
}

/** A page without it: one thread, whatever is asked for. */
export function plainSubjects(): readonly Subject[] {
  return [
    { name: 'cpu, 4 threads asked for', create: () => createCpuBackend({ threads: 4 }), threads: 1, only: SHORT },
    { name: 'cpu, nothing asked for', create: () => createCpuBackend(), threads: 1, only: /^(manifest|models)$/ },
  ];
}

export async function readModelMaterial(material: Material, read: Read): Promise<ModelMaterial> {
  const photos = new Map<string, Uint8Array>();
  for (const path of material.photos) photos.set(path, await read(path));
  return { file: await read(material.model), photos };
}

/** What `loadModel` chooses by itself, and its receipts. */
export async function defaultChecks({ file, photos }: ModelMaterial): Promise<Record<string, string>> {
  const model = await loadModel(file);
  const found: Record<string, string> = { 'loadModel runs on': model.info.backend.name };
  for (const [name, photo] of photos) {
    const [result] = await model.run([photo]);
    found[`loadModel ${name}: receipt`] = JSON.stringify(result?.receipt);
  }
  await model.dispose();
  return found;
}

export async function cpuChecks(
  subjects: readonly Subject[],
  material: ModelMaterial,
): Promise<Record<string, string>> {
  let found = await defaultChecks(material);
  for (const subject of subjects) found = { ...found, ...(await checkSubject(subject, material)) };
  return found;
}

/** @param digests the model's digests on the reference backend */
export function cpuExpected(
  subjects: readonly Subject[],
  defaults: Readonly<Record<string, string>>,
  digests: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.assign({}, defaults, ...subjects.map((subject) => expectedOf(subject, digests)));
}
