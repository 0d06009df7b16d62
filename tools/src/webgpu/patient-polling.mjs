/**
 * Makes Dawn's binding for Node wait patiently. It asks for news in every turn of the event loop by `setImmediate`, a million times
 * in the seconds that a software adapter compiles and computes in, which takes more than half of the processor's time from it. What
 * has been waited for longer than `EAGER` is asked for once in `PAUSE` instead. For `--import`, or before `create` of `webgpu`.
 */

/** Milliseconds of a wait in which every turn asks. */
const EAGER = 2;
const PAUSE = 1;

const original = globalThis.setImmediate;
/** Whether a task that was put off is running: what it asks for goes on with its wait. */
let going = false;
let began = 0;

const isNative = (task) => Function.prototype.toString.call(task).includes('[native code]');

function patient(task, ...rest) {
  const now = performance.now();
  if (!going) began = now;
  const run = () => {
    going = true;
    try {
      task(...rest);
    } finally {
      going = false;
    }
  };
  if (now - began < EAGER || !isNative(task)) return original(run);
  return setTimeout(run, PAUSE);
}

globalThis.setImmediate = Object.assign(patient, original);
