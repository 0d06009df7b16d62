/** One field of a message, as read back. */
export interface Field {
  readonly number: number;
  /** Of wire type 0 the integer (64-bit two's complement), of 5 the float, of 2 the bytes. */
  readonly value: bigint | number | Uint8Array;
}

/** Fields of a message in file order: enough to check what the writer wrote. @throws RangeError on a broken message */
export function readFields(bytes: Uint8Array): Field[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fields: Field[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = view.getUint8(at);
      at += 1;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, value);
    }
    throw new RangeError(`a varint of more than ten bytes before byte ${at}`);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const number = Math.floor(tag / 8);
    if (tag % 8 === 0) fields.push({ number, value: varint() });
    else if (tag % 8 === 5) {
      fields.push({ number, value: view.getFloat32(at, true) });
      at += 4;
    } else if (tag % 8 === 2) {
      const length = Number(varint());
      if (length > bytes.length - at) throw new RangeError(`${length} bytes at byte ${at} pass the end`);
      fields.push({ number, value: bytes.subarray(at, at + length) });
      at += length;
    } else throw new RangeError(`wire type ${tag % 8} before byte ${at}`);
  }
  return fields;
}
