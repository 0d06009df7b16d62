import type { PickleValue } from './values.js';

function children(value: PickleValue): readonly PickleValue[] {
  if (typeof value !== 'object' || value === null) return [];
  switch (value.kind) {
    case 'list':
    case 'tuple':
    case 'set':
      return value.items;
    case 'dict':
      return [...value.entries.values()].flatMap(({ key, value: entry }) => [key, entry]);
    case 'object':
      return value.state === undefined ? value.args : [...value.args, value.state];
    default:
      return [];
  }
}

/** Whether a value contains itself; iterative, each container visited once. */
export function hasCycle(root: PickleValue): boolean {
  const open = new Set<PickleValue>();
  const done = new Set<PickleValue>();
  const path: { readonly value: PickleValue; readonly rest: readonly PickleValue[]; next: number }[] = [];
  const enter = (value: PickleValue): boolean => {
    if (typeof value !== 'object' || value === null || done.has(value)) return false;
    if (open.has(value)) return true;
    open.add(value);
    path.push({ value, rest: children(value), next: 0 });
    return false;
  };
  if (enter(root)) return true;
  for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
    if (frame.next < frame.rest.length) {
      frame.next += 1;
      if (enter(frame.rest[frame.next - 1] as PickleValue)) return true;
      continue;
    }
    open.delete(frame.value);
    done.add(frame.value);
    path.pop();
  }
  return false;
}
