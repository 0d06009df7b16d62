export { dyadicFromRatio, fit, frexp } from './fit.js';
