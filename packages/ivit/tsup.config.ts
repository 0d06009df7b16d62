import { library } from '../../tsup.base';

export default library({
  index: 'src/index.ts',
  cli: 'src/cli.ts',
  'node/library': 'src/node/library.ts',
  'node/absent': 'src/node/absent.ts',
});
