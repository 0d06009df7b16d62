export { defaultBackends } from './default-backends.js';
export type { Port } from './worker/port.js';
export { type ServeOptions, serveModels } from './worker/serve.js';
