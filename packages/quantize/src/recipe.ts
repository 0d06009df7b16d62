/** How a float model becomes a program; recorded in the file. */
export type Recipe = 'ptq@1' | 'accurate@1' | 'accurate@2' | 'paper@1';
