/** What every page does around its checks: fetches the material from its own server, which gets the result. */
import type { Material } from './checks.js';

export type Read = (path: string) => Promise<Uint8Array>;

const read: Read = async (path) => {
  const response = await fetch(`/files/${path}`);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

/** Has a line printed where the page was asked for. */
function tell(line: string): void {
  void fetch('/progress', { method: 'POST', body: line });
}

export async function postReport<T extends Material = Material>(
  checks: (material: T, read: Read, tell: (line: string) => void) => Promise<Record<string, string>>,
): Promise<void> {
  let report: unknown;
  try {
    const material = (await (await fetch('/material.json')).json()) as T;
    report = { found: await checks(material, read, tell) };
  } catch (error) {
    report = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  await fetch('/result', { method: 'POST', body: JSON.stringify(report) });
}
