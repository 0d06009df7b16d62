/**
 * `ends THREADS KEEP`: runs a program, prints the first sum, and has nothing more to do. KEEP `dispose` gives the executable
 * back, `keep` leaves it, `fail` ends the process by an error while a run is going on.
 */
import { createCpuBackend } from '@ivit/backend-cpu';
import { bytes, layeredProgram } from '../support/programs.js';

const [count, keep] = process.argv.slice(2);
const executable = await createCpuBackend({ threads: Number(count) }).compile(layeredProgram(8, 32, 2));
const outputs = await executable.run(bytes(8 * 32, 1), { batch: 1 });
console.log(Object.values(outputs)[0]?.data[0]);
if (keep === 'dispose') await executable.dispose();
if (keep === 'fail') {
  void executable.run(bytes(8 * 32, 1), { batch: 1 });
  throw new Error('planned');
}
