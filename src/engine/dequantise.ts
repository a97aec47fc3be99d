/**
 * Dequantise: expands the blocks of GGUF's tensor types to 32-bit floats (format: ggml-common.h). Scales are halves and levels
 * have at most 8 bits, so every product here is exact and each value is rounded once, when it is stored: the values equal
 * llama.cpp's and the gguf package's to the last bit, with or without fused multiply-add. Knows nothing of files or models.
 */

export type TensorType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q4_K' | 'Q5_K' | 'Q6_K'

/** The tensor types read here, with the elements and bytes of one block. */
export const TENSOR_TYPES: Readonly<Record<TensorType, { elements: number; bytes: number }>> = {
  F32: { elements: 1, bytes: 4 },
  F16: { elements: 1, bytes: 2 },
  BF16: { elements: 1, bytes: 2 },
  Q8_0: { elements: 32, bytes: 34 },
  Q4_0: { elements: 32, bytes: 18 },
  Q4_1: { elements: 32, bytes: 20 },
  Q5_0: { elements: 32, bytes: 22 },
  Q5_1: { elements: 32, bytes: 24 },
  Q4_K: { elements: 256, bytes: 144 },
  Q5_K: { elements: 256, bytes: 176 },
  Q6_K: { elements: 256, bytes: 210 },
}

type Expand = (bytes: Uint8Array, values: Float32Array, blocks: number) => void

/**
 * Expands whole blocks to floats, into `into` (at least as long as the values) or a new array, and returns the values.
 * @throws {RangeError} when the bytes are no whole number of blocks or `into` is too short.
 */
export function dequantise(type: TensorType, bytes: Uint8Array, into?: Float32Array): Float32Array {
  const block = TENSOR_TYPES[type]
  const blocks = bytes.length / block.bytes
  if (!Number.isInteger(blocks)) throw new RangeError(`${bytes.length} bytes are not whole blocks of ${type}, which have ${block.bytes}.`)
  const length = blocks * block.elements
  if (into && into.length < length) throw new RangeError(`${length} values do not fit into ${into.length}.`)
  const values = into ? into.subarray(0, length) : new Float32Array(length)
  EXPAND[type](bytes, values, blocks)
  return values
}

const EXPAND: Record<TensorType, Expand> = {
  F32: (bytes, values) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength).set(bytes),

  F16(bytes, values) {
    const table = halves()
    for (let index = 0, at = 0; index < values.length; index++, at += 2) values[index] = table[bytes[at]! | (bytes[at + 1]! << 8)]!
  },

  /** The upper half of a 32-bit float. */
  BF16(bytes, values) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
    for (let index = 0, at = 0; index < bits.length; index++, at += 2) bits[index] = (bytes[at]! << 16) | (bytes[at + 1]! << 24)
  },

  /** A scale, then 32 signed bytes. */
  Q8_0(bytes, values, blocks) {
    const table = halves()
    const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 34, to += 32) {
      const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!
      for (let index = 0; index < 32; index++) values[to + index] = scale * signed[at + 2 + index]!
    }
  },

  /** A scale, then 16 bytes whose lower halves are the first 16 levels and whose upper halves the rest. */
  Q4_0(bytes, values, blocks) {
    const table = halves()
    for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 18, to += 32) {
      const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!
      for (let index = 0; index < 16; index++) {
        const pair = bytes[at + 2 + index]!
        values[to + index] = scale * ((pair & 15) - 8)
        values[to + 16 + index] = scale * ((pair >> 4) - 8)
      }
    }
  },

  /** As Q4_0, with a minimum after the scale. */
  Q4_1(bytes, values, blocks) {
    const table = halves()
    for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 20, to += 32) {
      const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!
      const minimum = table[bytes[at + 2]! | (bytes[at + 3]! << 8)]!
      for (let index = 0; index < 16; index++) {
        const pair = bytes[at + 4 + index]!
        values[to + index] = scale * (pair & 15) + minimum
        values[to + 16 + index] = scale * (pair >> 4) + minimum
      }
    }
  },

  /** As Q4_0, with 32 fifth bits between the scale and the levels. */
  Q5_0(bytes, values, blocks) {
    const table = halves()
    for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 22, to += 32) {
      const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!
      const fifths = word(bytes, at + 2)
      for (let index = 0; index < 16; index++) {
        const pair = bytes[at + 6 + index]!
        values[to + index] = scale * (((pair & 15) | (((fifths >>> index) & 1) << 4)) - 16)
        values[to + 16 + index] = scale * (((pair >> 4) | (((fifths >>> (index + 16)) & 1) << 4)) - 16)
      }
    }
  },

  /** As Q5_0, with a minimum after the scale. */
  Q5_1(bytes, values, blocks) {
    const table = halves()
    for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 24, to += 32) {
      const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!
      const minimum = table[bytes[at + 2]! | (bytes[at + 3]! << 8)]!
      const fifths = word(bytes, at + 4)
      for (let index = 0; index < 16; index++) {
        const pair = bytes[at + 8 + index]!
        values[to + index] = scale * ((pair & 15) | (((fifths >>> index) & 1) << 4)) + minimum
        values[to + 16 + index] = scale * ((pair >> 4) | (((fifths >>> (index + 16)) & 1) << 4)) + minimum
      }
    }
  },

  /** Scales of the scale and of the minimum, 8 pairs of them in 12 bytes of six bits each, then 8 parts of 32 levels, two parts a byte. */
  Q4_K(bytes, values, blocks) {
    const table = halves()
    for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 144, to += 256) {
      const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!
      const minimum = table[bytes[at + 2]! | (bytes[at + 3]! << 8)]!
      for (let part = 0; part < 8; part += 2) {
        const low = scale * partScale(bytes, at + 4, part)
        const lowest = minimum * partMinimum(bytes, at + 4, part)
        const high = scale * partScale(bytes, at + 4, part + 1)
        const highest = minimum * partMinimum(bytes, at + 4, part + 1)
        const from = at + 16 + part * 16
        const place = to + part * 32
        for (let index = 0; index < 32; index++) {
          const pair = bytes[from + index]!
          values[place + index] = low * (pair & 15) - lowest
          values[place + 32 + index] = high * (pair >> 4) - highest
        }
      }
    }
  },

  /** As Q4_K, with 32 bytes of fifth bits before the levels: bit n of a byte belongs to part n. */
  Q5_K(bytes, values, blocks) {
    const table = halves()
    for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 176, to += 256) {
      const scale = table[bytes[at]! | (bytes[at + 1]! << 8)]!
      const minimum = table[bytes[at + 2]! | (bytes[at + 3]! << 8)]!
      for (let part = 0; part < 8; part += 2) {
        const low = scale * partScale(bytes, at + 4, part)
        const lowest = minimum * partMinimum(bytes, at + 4, part)
        const high = scale * partScale(bytes, at + 4, part + 1)
        const highest = minimum * partMinimum(bytes, at + 4, part + 1)
        const from = at + 48 + part * 16
        const place = to + part * 32
        for (let index = 0; index < 32; index++) {
          const pair = bytes[from + index]!
          const fifths = bytes[at + 16 + index]! >> part
          values[place + index] = low * ((pair & 15) | ((fifths & 1) << 4)) - lowest
          values[place + 32 + index] = high * ((pair >> 4) | ((fifths & 2) << 3)) - highest
        }
      }
    }
  },

  /** 128 bytes of lower halves, 64 bytes of upper pairs, 16 signed scales of 16 levels each, then the scale of the scales. */
  Q6_K(bytes, values, blocks) {
    const table = halves()
    const signed = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
    for (let block = 0, at = 0, to = 0; block < blocks; block++, at += 210, to += 256) {
      const scale = table[bytes[at + 208]! | (bytes[at + 209]! << 8)]!
      for (let half = 0; half < 2; half++)
        for (let side = 0; side < 2; side++) {
          const scales = at + 192 + half * 8 + side
          const first = scale * signed[scales]!
          const second = scale * signed[scales + 2]!
          const third = scale * signed[scales + 4]!
          const fourth = scale * signed[scales + 6]!
          const lower = at + half * 64 + side * 16
          const upper = at + 128 + half * 32 + side * 16
          const place = to + half * 128 + side * 16
          for (let index = 0; index < 16; index++) {
            const a = bytes[lower + index]!
            const b = bytes[lower + 32 + index]!
            const pairs = bytes[upper + index]!
            values[place + index] = first * (((a & 15) | ((pairs & 3) << 4)) - 32)
            values[place + 32 + index] = second * (((b & 15) | ((pairs & 12) << 2)) - 32)
            values[place + 64 + index] = third * (((a >> 4) | (pairs & 48)) - 32)
            values[place + 96 + index] = fourth * (((b >> 4) | ((pairs & 192) >> 2)) - 32)
          }
        }
    }
  },
}

/** The six-bit scale of one of a K-block's eight parts. */
function partScale(bytes: Uint8Array, at: number, part: number): number {
  return part < 4 ? bytes[at + part]! & 63 : (bytes[at + part + 4]! & 15) | ((bytes[at + part - 4]! >> 6) << 4)
}

/** The six-bit minimum of one of a K-block's eight parts. */
function partMinimum(bytes: Uint8Array, at: number, part: number): number {
  return part < 4 ? bytes[at + part + 4]! & 63 : (bytes[at + part + 4]! >> 4) | ((bytes[at + part]! >> 6) << 4)
}

function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

let table: Float32Array | undefined

/** All 65,536 halves as floats. */
function halves(): Float32Array {
  table ??= Float32Array.from({ length: 65_536 }, (_, bits) => half(bits))
  return table
}

/** IEEE 754 binary16 to a number. */
export function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
