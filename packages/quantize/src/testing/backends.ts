import type { Backend } from '@ivit/backend';
import { type Program, validate } from '@ivit/program';
import { expect } from 'vitest';
import type { CalibrationPhoto } from '../types.js';

/** A backend that does what another does and notes the outputs that stages ask for, photo by photo. */
export function recordingBackend(backend: Backend, records: Map<string, number[][]>): Backend {
  return {
    ...backend,
    async compile(program, options) {
      const executable = await backend.compile(program, options);
      return {
        ...executable,
        info: executable.info,
        trace: (pixels) => executable.trace(pixels),
        dispose: () => executable.dispose(),
        async run(pixels, runOptions) {
          const outputs = await executable.run(pixels, runOptions);
          for (const [name, { data }] of Object.entries(outputs)) {
            const seen = records.get(name) ?? [];
            seen.push([...data]);
            records.set(name, seen);
          }
          return outputs;
        },
      };
    },
  };
}

/** Expects a program's values to be those that {@link recordingBackend} noted of the stages, photo by photo. */
export async function expectStages(
  backend: Backend,
  program: Program,
  photos: readonly CalibrationPhoto[],
  names: readonly string[],
  stages: ReadonlyMap<string, number[][]>,
): Promise<void> {
  const executable = await backend.compile(validate(program), { outputs: names });
  for (const [photo, { pixels }] of photos.entries()) {
    const outputs = await executable.run(pixels, { batch: 1 });
    for (const name of names) {
      const whole = [...(outputs[name]?.data ?? [])];
      expect(whole.length, name).toBeGreaterThan(0);
      expect(whole, `${name} of photo ${photo}`).toEqual(stages.get(name)?.[photo]);
    }
  }
}

/** For runs that take everything from a cache. */
export function neverCalled(backend: Backend): Backend {
  return { ...backend, compile: () => Promise.reject(new Error('everything is in the cache')) };
}
