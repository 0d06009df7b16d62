/** What every page does around its checks: fetches the material from its own server, which gets the result. */
import type { Material } from './checks.js';

export type Read = (path: string) => Promise<Uint8Array>;

const read: Read = async (path) => {
  const response = await fetch(`/files/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

export async function postReport(
  checks: (material: Material, read: Read) => Promise<Record<string, string>>,
): Promise<void> {
  let report: unknown;
  try {
    const material = (await (await fetch('/material.json')).json()) as Material;
    report = { found: await checks(material, read) };
  } catch (error) {
    report = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  await fetch('/result', { method: 'POST', body: JSON.stringify(report) });
}
