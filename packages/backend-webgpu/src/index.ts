export { MOST_BINDING_BYTES } from './layout.js';
