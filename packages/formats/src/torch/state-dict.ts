import { isKind, type PickleDict, type PickleValue, type TensorReference } from '../pickle/values.js';

/** Where training scripts put the state dict, in the order in which it is looked for. */
export const USUAL_KEYS: readonly string[] = ['model', 'state_dict', 'model_state_dict'];

/** Prefixes that wrappers of a model put before every name. */
const WRAPPERS = ['module.', '_orig_mod.'];

export interface FoundStateDict {
  readonly key: string | undefined;
  readonly tensors: ReadonlyMap<string, TensorReference>;
  readonly others: readonly string[];
}

function hasTensors(value: PickleValue | undefined): value is PickleDict {
  return isKind(value, 'dict') && [...value.entries.values()].some((entry) => isKind(entry.value, 'tensor'));
}

/** Names without the prefix of a wrapper that every one of them has. */
function unwrap(names: readonly string[]): readonly string[] {
  const wrapper = WRAPPERS.find((prefix) => names.every((name) => name.startsWith(prefix)));
  return wrapper === undefined ? names : unwrap(names.map((name) => name.slice(wrapper.length)));
}

function split(dict: PickleDict, key: string | undefined): FoundStateDict {
  const named: { name: string; tensor: TensorReference }[] = [];
  const others: string[] = [];
  for (const { key: name, value } of dict.entries.values()) {
    if (typeof name === 'string' && isKind(value, 'tensor')) named.push({ name, tensor: value });
    else others.push(String(typeof name === 'object' ? 'an odd key' : name));
  }
  const names = unwrap(named.map(({ name }) => name));
  return { key, tensors: new Map(named.map(({ tensor }, at) => [names[at] as string, tensor])), others };
}

/** Text keys of a checkpoint, for an error. */
export function keysOf(root: PickleValue): string {
  if (!isKind(root, 'dict')) return 'it is no dict';
  const keys = [...root.entries.values()].map(({ key }) => key).filter((key) => typeof key === 'string');
  return `its keys: ${keys.slice(0, 20).join(', ') || 'none'}`;
}

/**
 * The state dict of a checkpoint: at `key`, else at one of the usual keys, else the checkpoint itself if it holds tensors,
 * else the only dict of tensors in it. Undefined where there is none.
 */
export function findStateDict(root: PickleValue, key: string | undefined): FoundStateDict | undefined {
  if (!isKind(root, 'dict')) return undefined;
  const at = (name: string): PickleValue | undefined => root.entries.get(`s${name}`)?.value;
  if (key !== undefined) {
    const value = at(key);
    return hasTensors(value) ? split(value, key) : undefined;
  }
  for (const usual of USUAL_KEYS) {
    const value = at(usual);
    if (hasTensors(value)) return split(value, usual);
  }
  const all = [...root.entries.values()];
  if (hasTensors(root)) return split(root, undefined);
  const inside = all.filter(({ value }) => hasTensors(value));
  const [only] = inside;
  if (only === undefined || inside.length > 1 || typeof only.key !== 'string') return undefined;
  return isKind(only.value, 'dict') ? split(only.value, only.key) : undefined;
}
