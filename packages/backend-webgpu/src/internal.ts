/** For checks of this repository; outside of semantic versioning. */
export { MOST_BINDING_BYTES } from './layout.js';
