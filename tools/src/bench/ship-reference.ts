/** The same with the reference backend: for trying the bench out. */
export { createReferenceBackend } from '@ivit/backend-reference';
export { createModel } from '@ivit/runtime';
