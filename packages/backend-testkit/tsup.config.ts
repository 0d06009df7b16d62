import { library } from '../../tsup.base';

// A source map would carry every vector a second time.
export default { ...library({ index: 'src/index.ts' }), sourcemap: false };
