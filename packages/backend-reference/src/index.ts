export { createReferenceBackend } from './backend.js';
