import { library } from '../../tsup.base';

export default library({
  'safetensors/index': 'src/safetensors/index.ts',
  'program/index': 'src/program/index.ts',
  'torch/index': 'src/torch/index.ts',
});
