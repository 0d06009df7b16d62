/**
 * `node --import` of this file: the package `webgpu` of these tools is found from everywhere, as where it is installed beside
 * `ivit`. In this repository it is not, so that the other tests of `ivit` see a machine without it.
 */
import { register } from 'node:module';

const found = JSON.stringify(import.meta.resolve('webgpu'));
const hook = `export const resolve = (name, context, next) =>
  name === 'webgpu' ? { url: ${found}, shortCircuit: true } : next(name, context);`;
register(`data:text/javascript,${encodeURIComponent(hook)}`);
