import { library } from '../../tsup.base';

export default library({
  index: 'src/index.ts',
  'png/index': 'src/png/index.ts',
  'jpeg/index': 'src/jpeg/index.ts',
  'resample/index': 'src/resample/index.ts',
});
