/** What is proved of the WebGPU backend, in Node and in a page alike. Uses nothing of Node. */
import type { Backend } from '@ivit/backend';
import { createWebgpuBackend, type WebgpuBackendOptions } from '@ivit/backend-webgpu';
import { checkKit, type KitSubject, kitExpected, type ModelMaterial } from '../conformance/kit-subject.js';
import { recipeDigests } from './recipe-digests.js';

/** One way to set the backend up, and what is proved of it. */
export interface WebgpuSubject extends KitSubject {
  /** Whether it must use `dot4I8Packed`. */
  readonly packed: boolean;
}

/**
 * What tells the plain products from the packed ones: everything else is the same shaders. Fused products are among the models;
 * the random chains, most of whose time goes into compiling new shaders, run packed only.
 */
export const PRODUCTS = /^(manifest|linear|matmul|models)$/;

/** Which of the subjects are wanted. */
export interface SubjectChoice {
  readonly choice: { readonly packed: readonly boolean[] };
  /** All groups without `dot4I8Packed`, too. */
  readonly whole: boolean;
}

/** Both products on one device, so that pipelines are compiled once. */
export function webgpuSubjects(
  options: WebgpuBackendOptions,
  { choice, whole }: SubjectChoice,
): readonly WebgpuSubject[] {
  const subject = (packed: boolean, only?: RegExp): WebgpuSubject => ({
    name: packed ? 'webgpu' : 'webgpu, plain',
    create: () => createWebgpuBackend({ ...options, packed }),
    packed,
    ...(only === undefined ? {} : { only }),
  });
  return choice.packed.map((packed) => subject(packed, packed || whole ? undefined : PRODUCTS));
}

const variantOf = ({ packed }: Pick<WebgpuSubject, 'packed'>): string => (packed ? 'wgsl-dot4' : 'wgsl');

async function featuresOf(backend: Backend): Promise<string> {
  const probe = await backend.probe();
  if (!probe.available) return `${probe.code}, ${probe.reason}`;
  return probe.features.includes('dot4I8Packed') ? 'wgsl-dot4' : 'wgsl';
}

/** What must be found of models: the built-in one's digests, and those of `recipeDigests`. */
export interface ModelDigests {
  readonly builtIn: Readonly<Record<string, string>>;
  readonly recipes: Readonly<Record<string, string>>;
}

function named({ name }: WebgpuSubject, digests: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(digests).map(([key, value]) => [`${name}: ${key}`, value]));
}

/** All checks of a subject as text by name; `expectedOf` says what each must be. */
export async function checkSubject(subject: WebgpuSubject, material: ModelMaterial): Promise<Record<string, string>> {
  const variant = await featuresOf(subject.create());
  const recipes = named(subject, await recipeDigests(subject.create()));
  return { [`${subject.name}: variant`]: variant, ...recipes, ...(await checkKit(subject, material)) };
}

/** What must be found, given the models' digests on the reference backend. */
export function expectedOf(subject: WebgpuSubject, { builtIn, recipes }: ModelDigests): Record<string, string> {
  const variant = { [`${subject.name}: variant`]: variantOf(subject) };
  return { ...variant, ...named(subject, recipes), ...kitExpected(subject, builtIn) };
}
