/** What a page ships to run programs with the fast backend; bundled to count its bytes. */
export { createCpuBackend } from '@ivit/backend-cpu';
export { createModel } from '@ivit/runtime';
