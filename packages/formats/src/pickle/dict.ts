import { quoteName } from '../json/cursor.js';
import { DAMAGED, type PickleRefuse, RESAVE } from './bounds.js';
import type { PickleDict, PickleValue } from './values.js';

/** Longest text key of a dict: hashing keys stays bounded by the pickle's length. */
const MAX_KEY = 4096;

/** Text under which a dict keeps a key; undefined where the key is none that checkpoints use. */
function keyText(key: PickleValue): string | undefined {
  if (typeof key === 'string') return key.length > MAX_KEY ? undefined : `s${key}`;
  if (typeof key === 'number' || typeof key === 'bigint') return `n${key}`;
  if (typeof key === 'boolean') return `n${Number(key)}`;
  if (key === null) return 'z';
  if (key.kind !== 'tuple' || key.items.length > 8) return undefined;
  const parts = key.items.map((item) => (typeof item === 'object' && item !== null ? undefined : keyText(item)));
  return parts.includes(undefined) ? undefined : `t${JSON.stringify(parts)}`;
}

/** Adds keys and values in turns. */
export function setItems(dict: PickleDict, items: readonly PickleValue[], refuse: PickleRefuse): void {
  if (items.length % 2 !== 0) refuse('E_PICKLE_STACK', 'a key has no value', DAMAGED);
  for (let at = 0; at < items.length; at += 2) {
    const key = items[at] as PickleValue;
    const text =
      keyText(key) ?? refuse('E_PICKLE_KEY', 'a dict has a key that is neither a short text nor a number', RESAVE);
    if (dict.entries.has(text))
      refuse('E_PICKLE_DUPLICATE', `a dict has the key ${quoteName(text.slice(1))} twice`, DAMAGED);
    dict.entries.set(text, { key, value: items[at + 1] as PickleValue });
  }
}
