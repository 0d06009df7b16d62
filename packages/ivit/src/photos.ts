/** A photo of this package, for checks that need one: it lies beside `src` and `dist`. */
export const BUNDLED_PHOTO: URL = new URL('../photos/kingfisher.jpg', import.meta.url);
