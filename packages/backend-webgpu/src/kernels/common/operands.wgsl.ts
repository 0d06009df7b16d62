/**
 * Operands as generic kernels read them: any view of a value or constant, any dtype, one element at a time. record-words.ts
 * has the same places.
 */
export const operands = /* wgsl */ `
const SLOT: u32 = 32u;
const SLOT_WORDS: u32 = 24u;

/** Index of element flat of slot's view, counted in one image of the dense tensor. */
fn locate(slot: u32, flat: u32) -> u32 {
  let at = SLOT + slot * SLOT_WORDS;
  var index = field(at + 4u);
  var rest = flat;
  var axis = u32(field(at + 5u));
  while (axis > 1u) {
    axis -= 1u;
    let size = u32(field(at + 6u + axis));
    index += i32(rest % size) * field(at + 12u + axis);
    rest = rest / size;
  }
  return u32(index + i32(rest) * field(at + 12u));
}

/** log2 of the elements in a word of this type. */
fn per_word_shift(kind: i32) -> u32 {
  return select(select(2u, 1u, kind == 1), 0u, kind == 0);
}

/** Element index of the word that holds it: 0 i32, 1 i16, 2 i8, 3 u8. */
fn unpack(word: u32, index: u32, kind: i32) -> i32 {
  if (kind == 0) {
    return bitcast<i32>(word);
  }
  if (kind == 1) {
    return extractBits(bitcast<i32>(word), (index & 1u) * 16u, 16u);
  }
  if (kind == 2) {
    return extractBits(bitcast<i32>(word), (index & 3u) * 8u, 8u);
  }
  return i32(extractBits(word, (index & 3u) * 8u, 8u));
}

/** Element flat of the view in slot. */
fn load(slot: u32, image: u32, flat: u32) -> i32 {
  let at = SLOT + slot * SLOT_WORDS;
  let index = locate(slot, flat);
  let kind = field(at + 3u);
  let word = u32(field(at + 1u)) + image * u32(field(at + 2u)) + (index >> per_word_shift(kind));
  if (field(at) == 0) {
    return unpack(arena[word], index, kind);
  }
  return unpack(constants[word], index, kind);
}

/** Word i of the constants as an int32. */
fn constant(i: u32) -> i32 {
  return bitcast<i32>(constants[i]);
}

/** An element in its place of a result word: the lowest bits, shifted. */
fn place(value: i32, index: u32, kind: i32) -> u32 {
  if (kind == 0) {
    return bitcast<u32>(value);
  }
  if (kind == 1) {
    return (bitcast<u32>(value) & 0xffffu) << ((index & 1u) * 16u);
  }
  return (bitcast<u32>(value) & 0xffu) << ((index & 3u) * 8u);
}
`;
