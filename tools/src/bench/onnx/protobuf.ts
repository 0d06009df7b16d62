/** A protobuf message in the making: only the wire types that ONNX files need. Fields are written in call order. */
export interface MessageWriter {
  /** int64, int32, enum: wire type 0. */
  integer(field: number, value: number): MessageWriter;
  /** float: wire type 5. */
  float(field: number, value: number): MessageWriter;
  /** string and bytes: wire type 2. */
  bytes(field: number, value: Uint8Array | string): MessageWriter;
  message(field: number, value: MessageWriter): MessageWriter;
  /** What was written, as pieces: tensors are not copied until the end. */
  readonly pieces: readonly Uint8Array[];
}

/** Base-128 little-endian; negative numbers as 64-bit two's complement, ten bytes. */
function varint(value: number): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const out: number[] = [];
  while (rest >= 128n) {
    out.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  out.push(Number(rest));
  return Uint8Array.from(out);
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0);
}

export function createMessage(): MessageWriter {
  const pieces: Uint8Array[] = [];
  const tag = (field: number, wireType: number): void => {
    pieces.push(varint(field * 8 + wireType));
  };
  const writer: MessageWriter = {
    pieces,
    integer(field, value) {
      tag(field, 0);
      pieces.push(varint(value));
      return writer;
    },
    float(field, value) {
      tag(field, 5);
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setFloat32(0, value, true);
      pieces.push(bytes);
      return writer;
    },
    bytes(field, value) {
      const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
      tag(field, 2);
      pieces.push(varint(bytes.length), bytes);
      return writer;
    },
    message(field, value) {
      tag(field, 2);
      pieces.push(varint(lengthOf(value.pieces)), ...value.pieces);
      return writer;
    },
  };
  return writer;
}

/** The bytes of a finished message. */
export function encode(message: MessageWriter): Uint8Array {
  const out = new Uint8Array(lengthOf(message.pieces));
  let at = 0;
  for (const piece of message.pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}
