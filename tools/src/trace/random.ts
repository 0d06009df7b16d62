export { createRandom, type Random } from '@ivit/backend-testkit';
