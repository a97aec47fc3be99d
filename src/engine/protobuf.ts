/**
 * Protobuf: writes the wire format (varints, fixed 32-bit floats, length-delimited fields). Knows nothing of ONNX.
 */

/** A message under construction: pieces and their total length; pieces are joined once, at the end. */
export class Message {
  readonly pieces: Uint8Array[] = []
  length = 0

  #push(bytes: Uint8Array): void {
    this.pieces.push(bytes)
    this.length += bytes.length
  }

  /** Field of wire type 0; negative numbers are written as 64-bit two's complement. */
  varint(field: number, value: number | bigint): this {
    this.#push(Uint8Array.from([...encode(BigInt(field << 3)), ...encode(BigInt(value))]))
    return this
  }

  /** Field of wire type 5. */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    this.#push(Uint8Array.from([...encode(BigInt((field << 3) | 5)), ...bytes]))
    return this
  }

  /** Field of wire type 2. The bytes are kept by reference until {@link join}. */
  bytes(field: number, value: Uint8Array | string | Message): this {
    const content = typeof value === 'string' ? new TextEncoder().encode(value) : value
    this.#push(Uint8Array.from([...encode(BigInt((field << 3) | 2)), ...encode(BigInt(content.length))]))
    if (content instanceof Message) {
      for (const piece of content.pieces) this.pieces.push(piece)
      this.length += content.length
    } else this.#push(content)
    return this
  }

  join(): Uint8Array {
    const joined = new Uint8Array(this.length)
    let offset = 0
    for (const piece of this.pieces) {
      joined.set(piece, offset)
      offset += piece.length
    }
    return joined
  }
}

function encode(value: bigint): number[] {
  let rest = BigInt.asUintN(64, value)
  const bytes: number[] = []
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128)
    rest >>= 7n
  }
  bytes.push(Number(rest))
  return bytes
}
