import type { Backend } from '@ivit/backend';
import { type CpuBackendOptions, createCpuBackend, kernelBytes } from '@ivit/backend-cpu';
import { createModel } from '@ivit/runtime';
import { checkKit, type KitSubject, kitExpected, type ModelMaterial } from './kit-subject.js';

/** One way to set up the CPU backend, and what is proved of it. */
export interface Subject extends KitSubject {
  /** Threads that it must run on. */
  readonly threads: number;
}

/** Groups that every path through a backend passes: products, whole models, and how it behaves. */
export const SHORT = /^(manifest|linear|models|compile|run|abort|dispose|trace)$/;

/** The backend with a number of threads, and everything proved. */
export function threaded(threads: number, options: CpuBackendOptions = {}): Subject {
  return { name: `cpu, ${threads} thread(s)`, create: () => createCpuBackend({ ...options, threads }), threads };
}

/** The backend with its module compiled ahead of time, in both builds. */
export async function precompiled(options: CpuBackendOptions = {}): Promise<readonly Subject[]> {
  const builds = [
    ['unshared', 1],
    ['shared', 2],
  ] as const;
  return Promise.all(
    builds.map(async ([kind, threads]) => {
      const module = await WebAssembly.compile(kernelBytes(kind));
      const create = (): Backend => createCpuBackend({ ...options, threads, module });
      return { name: `cpu, ${threads} thread(s), module given`, create, threads, only: SHORT };
    }),
  );
}

/** Threads that an executable of the backend says it runs on. */
async function threadsOf(backend: Backend, { file }: ModelMaterial): Promise<number> {
  const model = await createModel({ program: file, backends: [backend] });
  await model.dispose();
  return model.info.backend.threads;
}

/** All checks of a subject as text by name; `expectedOf` says what each must be. */
export async function checkSubject(subject: Subject, material: ModelMaterial): Promise<Record<string, string>> {
  const threads = String(await threadsOf(subject.create(), material));
  return { [`${subject.name}: threads`]: threads, ...(await checkKit(subject, material)) };
}

/** What must be found, given the model's digests on the reference backend. */
export function expectedOf(subject: Subject, digests: Readonly<Record<string, string>>): Record<string, string> {
  return { [`${subject.name}: threads`]: String(subject.threads), ...kitExpected(subject, digests) };
}
