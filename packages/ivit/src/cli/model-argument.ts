import { isHubAddress } from '../hub/address.js';

/** Whether an argument names a model rather than a photo. */
export function looksLikeModel(name: string): boolean {
  return name === 'builtin' || isHubAddress(name) || /\.safetensors$/i.test(name);
}
