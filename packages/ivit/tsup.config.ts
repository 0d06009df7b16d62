import { library } from '../../tsup.base';

export default library({
  index: 'src/index.ts',
  worker: 'src/worker.ts',
  'model-worker': 'src/model-worker.ts',
  'worker-host': 'src/worker-host.ts',
  cli: 'src/cli.ts',
  'node/library': 'src/node/library.ts',
  'node/absent': 'src/node/absent.ts',
});
