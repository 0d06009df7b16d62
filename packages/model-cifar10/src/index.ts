export { file, type ModelMetadata, metadata } from './model.js';
