import { isHubAddress } from '../hub/address.js';
import { failUsage } from './usage.js';

/** Whether an argument names a model rather than a photo. */
export function looksLikeModel(name: string): boolean {
  return name === 'builtin' || isHubAddress(name) || /\.safetensors$/i.test(name);
}

/** The model (`--model`, or else the first argument if it names one) and the photos. @throws E_USAGE */
export function splitArguments(
  command: string,
  positionals: readonly string[],
  model: string | undefined,
): [string, readonly string[]] {
  const [first, ...others] = positionals;
  const [source, photos] =
    model !== undefined
      ? [model, positionals]
      : first !== undefined && looksLikeModel(first)
        ? [first, others]
        : ['builtin', positionals];
  if (photos.length === 0) failUsage(`${command} needs at least one photo`);
  return [source, photos];
}
