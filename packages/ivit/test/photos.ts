import { fileURLToPath } from 'node:url';

const path = (name: string): string => fileURLToPath(new URL(`../photos/${name}`, import.meta.url));

/** Paths of photos of this package. */
export const CAT: string = path('cat.jpg');
export const COFFEE: string = path('coffee.png');
export const PHOTOS: readonly string[] = [CAT, COFFEE, path('rocket.jpg')];
