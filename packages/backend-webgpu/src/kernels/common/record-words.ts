/** Words of an op's record; the shaders have the same numbers. Words 8 … 31 are each kernel's own. */

/** First word of the result's image 0. */
export const OUT_BASE = 0;
export const OUT_IMAGE_WORDS = 1;
/** Elements of an image that are needed, from the first on. */
export const OUT_COUNT = 2;
export const OUT_TYPE = 3;
/** First of a kernel's own words. */
export const OWN = 8;

/** First word of operand slot 0; up to four slots. */
export const SLOT = 32;
export const SLOT_WORDS = 24;
export const SLOTS = 4;
/** 0: arena, 1: constants. */
export const SLOT_SOURCE = 0;
export const SLOT_BASE = 1;
export const SLOT_IMAGE_WORDS = 2;
export const SLOT_TYPE = 3;
export const SLOT_OFFSET = 4;
export const SLOT_RANK = 5;
export const SLOT_SHAPE = 6;
export const SLOT_STRIDES = 12;
