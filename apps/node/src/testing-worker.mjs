/** Stands in for a worker: dies of some photos, the first time or always, and of some models. */
import { existsSync, writeFileSync } from 'node:fs';

process.on('disconnect', () => process.exit(0));
const send = (message) => process.send(message, () => undefined);
process.on('message', ({ type, model, path, file }) => {
  if (type === 'load') {
    if (model === 'deadly') process.exit(7);
    if (model === 'wrong') return send({ type: 'refused', error: { code: 'E_PROGRAM', message: 'no model' } });
    return send({
      type: 'ready',
      labeling: { spec: 's', model, classes: 1, unknownBelow: 0, topK: 1 },
      backend: 'slow',
      skipped: [{ backend: 'fast', code: 'E_SELF_CHECK', reason: 'wrong' }],
    });
  }
  if (file === 'always') process.kill(process.pid, 'SIGKILL');
  if (file === 'once' && !existsSync(path)) {
    writeFileSync(path, '');
    process.exit(1);
  }
  send({ type: 'done', outcome: { error: { code: file, message: '' } } });
});
