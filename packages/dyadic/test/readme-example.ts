import { divFloor, requantizeInto, requantizeOne, rneShift } from '@ivit/dyadic';
import { fit } from '@ivit/dyadic/convert';

const { m, e } = fit(0.0123); // convert time: a float ratio becomes m·2^-e
const accumulators = Int32Array.of(-20000, 40, 41, 122, 20000);
const bytes = new Int8Array(5);
requantizeInto(bytes, 0, accumulators, 0, 5, m, e, 0, -128, 127, true);
console.log([...bytes]); // [-128,0,1,2,127]

console.log(requantizeOne(2147483647, 2147483647, 62)); // 1
console.log([rneShift(5, 1), rneShift(7, 1), rneShift(-5, 1)]); // [2,4,-2]
console.log(divFloor(-7, 2)); // -4
