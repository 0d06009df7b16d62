export { IvitError, type IvitErrorDetails } from './error.js';
export type * from './types.js';
