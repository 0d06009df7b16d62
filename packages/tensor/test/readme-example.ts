import { copyView, gemmPacked, packMatrix, planView } from '@ivit/tensor';

const weights = packMatrix(Int8Array.of(1, 2, 3, 4, 5, 6), 2, 3); // [N = 2, K = 3], once
const x = Int8Array.of(1, 0, -1, 127, -128, 127); // [M = 2, K = 3]
const y = new Int32Array(4);
gemmPacked(y, 0, 2, x, 0, 3, 2, weights, Int32Array.of(10, 20));
console.log([...y]); // [8,18,262,650]

const transposed = new Int8Array(6);
copyView(transposed, 0, x, 0, planView({ offset: 0, shape: [3, 2], strides: [1, 3] }));
console.log([...transposed]); // [1,127,0,-128,-1,127]
