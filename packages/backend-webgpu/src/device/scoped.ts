import { IvitError } from '@ivit/program';

/** An error that the device itself reported. */
function coded(error: GPUError, doing: string): IvitError {
  const text = `${doing}: ${error.message}`;
  // Told apart by name: the classes are no globals in Node.
  const memory = error.constructor.name === 'GPUOutOfMemoryError';
  return new IvitError(memory ? 'E_MEMORY' : 'E_DEVICE_ERROR', text, {
    hint: memory ? 'Free memory of the GPU, use a smaller batch, or another backend.' : 'Run on another backend.',
    cause: error,
  });
}

/**
 * Does something with the device and waits for what the device says of it. Scopes are a stack of the whole device, so the task
 * is synchronous: nothing else can come between.
 *
 * @throws E_MEMORY, E_DEVICE_ERROR
 */
export async function scoped<T>(device: GPUDevice, doing: string, task: () => T): Promise<T> {
  device.pushErrorScope('internal');
  device.pushErrorScope('out-of-memory');
  device.pushErrorScope('validation');
  let result: T;
  let verdicts: Promise<(GPUError | null)[]>;
  try {
    result = task();
  } finally {
    // The innermost first; a device that was lost reports nothing.
    verdicts = Promise.all([1, 2, 3].map(() => device.popErrorScope().catch(() => null)));
  }
  const [validation, memory, internal] = await verdicts;
  // What is refused for lack of memory makes what uses it invalid: memory is the reason then.
  const error = memory ?? internal ?? validation;
  if (error !== null && error !== undefined) throw coded(error, doing);
  return result;
}
