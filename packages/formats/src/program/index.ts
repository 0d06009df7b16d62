export { PROGRAM_KEY, type ReadProgramOptions, readProgram } from './read.js';
export { writeProgram } from './write.js';
