import { layerNormRows, shiftExpTable, softmaxRows } from '@ivit/nonlinear';
import { softmaxX0 } from '@ivit/nonlinear/convert';

const x0 = softmaxX0(0.05); // convert time: the scale of the logits
const table = shiftExpTable(x0, 15);
const logits = Int8Array.of(40, 20, 0, -20);
const probabilities = new Int16Array(4); // in units of 2^-15
softmaxRows(probabilities, 0, logits, 0, 1, 4, { table }, 16);
console.log([...probabilities]); // [20520,8208,2949,1090]

const normalized = new Int32Array(4); // in units of sqrt(L)/2^30 standard deviations
layerNormRows(normalized, 0, Int16Array.of(900, -300, -300, -300), 0, 1, 4, null);
console.log([...normalized]); // [930093750,-310031250,-310031250,-310031250]
