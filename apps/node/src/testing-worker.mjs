/** Stands in for a worker: dies of some photos, the first time or always, and of some models. */
import { existsSync, writeFileSync } from 'node:fs';

process.on('disconnect', () => process.exit(0));
process.on('message', ({ type, model, path, file }) => {
  if (type === 'load') {
    if (model === 'deadly') process.exit(7);
    if (model === 'wrong') return process.send({ type: 'refused', error: { code: 'E_PROGRAM', message: 'no model' } });
    return process.send({ type: 'ready', labeling: { spec: 's', model, classes: 1, unknownBelow: 0, topK: 1 } });
  }
  if (file === 'always') process.kill(process.pid, 'SIGKILL');
  if (file === 'once' && !existsSync(path)) {
    writeFileSync(path, '');
    process.exit(1);
  }
  process.send({ type: 'done', outcome: { error: { code: file, message: '' } } });
});
