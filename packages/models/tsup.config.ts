import { library } from '../../tsup.base';

export default library({ index: 'src/index.ts', internal: 'src/internal.ts' });
