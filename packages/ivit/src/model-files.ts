import { INDEX_FILE } from '@ivit/models';

/** Files beside the weights that a reader of float models uses. */
export const CONFIG_FILES: readonly string[] = ['config.json', 'preprocessor_config.json'];

const WEIGHTS = /\.(pth|pt|bin|ckpt|pth\.tar|safetensors)$/i;

/** Whether a file's name says that it holds weights. */
export function isWeightFile(name: string): boolean {
  return WEIGHTS.test(name);
}

/** Whether a float model is read from this file; others beside it are not looked at, nor recorded as its sources. */
export function isModelFile(name: string): boolean {
  return isWeightFile(name) || name === INDEX_FILE || CONFIG_FILES.includes(name);
}
