import { defineConfig } from 'vite';

/** Together they give the page SharedArrayBuffer, and so threads. Without them it runs on one. */
const ISOLATED = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

export default defineConfig({
  base: './',
  build: {
    target: 'es2022',
    // Everything is a file of its own, so that a policy without data: and blob: holds.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1000,
  },
  worker: { format: 'es' },
  server: { headers: ISOLATED },
  preview: { headers: ISOLATED },
});
