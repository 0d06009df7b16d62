/** Golden models on the CPU backend in a page. Uses nothing of Node. */
import { createCpuBackend } from '@ivit/backend-cpu';
import { type GoldenFolders, type GoldenSubject, goldenExpected, goldenFound } from '../vectors/golden-checks.js';
import type { PageMaterial } from '../webgpu/page-material.js';
import type { Material } from './checks.js';
import { webSha256 } from './web-hash.js';

/** What the page is told. */
export interface GoldenMaterial extends Material, Pick<PageMaterial, 'golden'> {}

interface CpuGolden extends GoldenSubject {
  /** Threads that it must run on. */
  readonly threads: number;
}

/** Images of a model that run one by one, too. */
const FEW = 16;

/** Threads that share an image (one image at once), and threads with whole images of their own (as many as threads). */
const SHAPES = [
  [1, 4],
  [2, 1],
  [2, 4],
  [4, 1],
  [4, 4],
] as const;

function subjects(): readonly CpuGolden[] {
  return SHAPES.map(([threads, batch]) => ({
    name: `cpu, ${threads} thread(s), batch ${batch}`,
    create: () => createCpuBackend({ threads }),
    threads,
    batch,
    ...(batch === 1 ? { mostImages: FEW } : {}),
  }));
}

/** All checks as text by name. @param tell is told of each model and its seconds */
export async function cpuGoldenFound(
  folders: GoldenFolders,
  tell: (line: string) => void,
): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const { name, create } of subjects()) {
    const probe = await create().probe();
    found[`${name}: threads`] = String(probe.available ? probe.threads : probe.reason);
  }
  return { ...found, ...(await goldenFound(folders, subjects(), { tell, newHash: webSha256 })) };
}

/** What `cpuGoldenFound` must give. */
export async function cpuGoldenExpected(folders: GoldenFolders): Promise<Record<string, string>> {
  const expected: Record<string, string> = {};
  for (const { name, threads } of subjects()) expected[`${name}: threads`] = String(threads);
  return { ...expected, ...(await goldenExpected(folders, subjects())) };
}
