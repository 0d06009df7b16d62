/** Whether Node's own modules are there (also in Electron, Bun and Deno, which provide them). */
export function hasNode(): boolean {
  return typeof process === 'object' && typeof process.versions === 'object' && process.versions.node !== undefined;
}
