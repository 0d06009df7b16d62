import { fileURLToPath } from 'node:url';
import { defaultBackends, loadModel } from 'ivit';

const bundled = (name) => fileURLToPath(new URL(`../../packages/ivit/photos/${name}`, import.meta.url));

/** The photos that are labeled unless another is named: one of a class that the model knows, one of none. */
export const PHOTOS = [bundled('kingfisher.jpg'), bundled('rocket.jpg')];

async function labelOn(backend, photo) {
  const started = performance.now();
  const model = await loadModel('builtin', { backends: [backend] });
  const loaded = performance.now();
  const [best] = await model.classify(photo, { topK: 1 });
  const classified = performance.now();
  const [{ receipt }] = await model.run([photo]);
  const { name, version, device } = model.info.backend;
  await model.dispose();
  console.log(`label    ${best.label} (score ${best.score.toFixed(4)}, logit ${best.logit})`);
  console.log(`time     ${seconds(classified - loaded)}, after ${seconds(loaded - started)} to load and self-check`);
  console.log(`backend  ${name} ${version} on ${device}`);
  for (const [key, value] of Object.entries(receipt)) console.log(`${key.padEnd(9)}${value}`);
  return JSON.stringify(receipt);
}

const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(2)} s`;

/** Labels the photo on every backend that this machine has; true if all gave one receipt. */
export async function labelPhoto(photo) {
  console.log(`photo    ${photo}`);
  const receipts = new Set();
  for (const backend of await defaultBackends()) {
    const probed = await backend.probe();
    // Absence is no difference: most machines have no WebGPU in Node.
    if (probed.available) receipts.add(await labelOn(backend, photo));
    else console.log(`backend  ${backend.name} is not here: ${probed.code}`);
  }
  return receipts.size === 1;
}
