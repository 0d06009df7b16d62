/** For tests and checks of this repository; outside of semantic versioning. */
export {
  makeUpSwin,
  makeUpVit,
  type TensorMaker,
  type WeightDetails,
  type WeightSizes,
} from './testing/made-up-weights.js';
