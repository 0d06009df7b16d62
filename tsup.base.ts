import { defineConfig, type Options } from 'tsup';

/**
 * Build options shared by every published package: ESM only, no bundled dependencies.
 * `IVIT_NO_DTS=1` leaves the declarations out, for set-ups that only run the code (the demo).
 */
export function library(entry: Record<string, string>): ReturnType<typeof defineConfig> {
  const options: Options = {
    entry,
    format: ['esm'],
    platform: 'neutral',
    target: 'es2022',
    // Siblings are resolved through their own built declarations, as a consumer would.
    dts: process.env['IVIT_NO_DTS'] === '1' ? false : { compilerOptions: { customConditions: [] } },
    sourcemap: true,
    clean: true,
    splitting: true,
    external: [/^@ivit\//, /^node:/, /^#/],
  };
  return defineConfig(options);
}
