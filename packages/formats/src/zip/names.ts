const CONTROL_LAST = 0x1f;

/**
 * What is wrong with a name in an archive, or undefined. Only plain relative paths with `/` pass: nothing is ever written to
 * disk from here, but a name that plays tricks has no honest writer.
 */
export function nameFault(name: string): string | undefined {
  if (name.length === 0) return 'it is empty';
  for (let at = 0; at < name.length; at += 1) {
    const unit = name.charCodeAt(at);
    if (unit <= CONTROL_LAST || unit === 0x7f) return 'it holds a control character';
  }
  if (name.includes('\\')) return 'it holds a backslash';
  if (name.startsWith('/') || /^[A-Za-z]:/.test(name)) return 'it is an absolute path';
  const parts = (name.endsWith('/') ? name.slice(0, -1) : name).split('/');
  if (parts.includes('..') || parts.includes('.') || parts.includes('')) return 'it walks through folders';
  return undefined;
}
