/**
 * Quantise: 32-bit floats to the tensor types of GGUF files, with the bits of ggml's own reference (`quantize_row_*_ref` in
 * ggml-quants.c, compiled without fused multiply-add). Knows nothing of files or models.
 */

/** What matrices can be written as. */
export type QuantisedType = 'F32' | 'F16' | 'Q8_0' | 'Q4_0'

/** Elements and bytes of one block of a type, and the number by which GGUF's directory names it. */
export const BLOCKS: Record<QuantisedType, { elements: number; bytes: number; id: number }> = {
  F32: { elements: 1, bytes: 4, id: 0 },
  F16: { elements: 1, bytes: 2, id: 1 },
  Q8_0: { elements: 32, bytes: 34, id: 8 },
  Q4_0: { elements: 32, bytes: 18, id: 2 },
}

/** Bytes that `elements` values take. @throws {RangeError} when they are no whole blocks. */
export function quantisedBytes(type: QuantisedType, elements: number): number {
  const block = BLOCKS[type]
  if (elements % block.elements) throw new RangeError(`${elements} values are not a whole number of ${type} blocks of ${block.elements}`)
  return (elements / block.elements) * block.bytes
}

/**
 * The bytes of `values` as `type`. The number of values must fill whole blocks.
 * @throws {RangeError} for a value that is not finite, or whose scale a half cannot hold: it could not be read back.
 */
export function quantise(type: QuantisedType, values: Float32Array): Uint8Array {
  const bytes = new Uint8Array(quantisedBytes(type, values.length))
  const view = new DataView(bytes.buffer)
  if (type === 'F32') for (let index = 0; index < values.length; index++) view.setFloat32(index * 4, finite(values[index]!), true)
  else if (type === 'F16') for (let index = 0; index < values.length; index++) view.setUint16(index * 2, storable(values[index]!), true)
  else if (type === 'Q8_0') quantiseQ8(values, view)
  else quantiseQ4(values, view)
  return bytes
}

/** Q8_0: 32 values as 8-bit integers, round half away from zero, times one binary16 scale of largest / 127. */
function quantiseQ8(values: Float32Array, view: DataView): void {
  for (let block = 0; block < values.length / 32; block++) {
    const from = block * 32
    const at = block * 34
    let largest = 0
    for (let index = 0; index < 32; index++) largest = Math.max(largest, Math.abs(values[from + index]!))
    const scale = Math.fround(largest / 127)
    const inverse = inverseOf(scale)
    view.setUint16(at, storable(scale), true)
    for (let index = 0; index < 32; index++) {
      const value = Math.fround(values[from + index]! * inverse)
      view.setInt8(at + 2 + index, value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5))
    }
  }
}

/** Q4_0: 32 values as 4-bit integers less 8, times one binary16 scale; the value of largest size becomes exactly -8. */
function quantiseQ4(values: Float32Array, view: DataView): void {
  for (let block = 0; block < values.length / 32; block++) {
    const from = block * 32
    const at = block * 18
    let size = 0
    let extreme = 0
    for (let index = 0; index < 32; index++) {
      const value = finite(values[from + index]!)
      if (Math.abs(value) > size) {
        size = Math.abs(value)
        extreme = value
      }
    }
    const scale = Math.fround(extreme / -8)
    const inverse = inverseOf(scale)
    view.setUint16(at, storable(scale), true)
    for (let index = 0; index < 16; index++) {
      const low = nibble(values[from + index]!, inverse)
      const high = nibble(values[from + 16 + index]!, inverse)
      view.setUint8(at + 2 + index, low | (high << 4))
    }
  }
}

/** 1 / scale in 32 bits. Where the reference would overflow (scales below 3e-39, zero as a half anyway) it is 0. */
function inverseOf(scale: number): number {
  const inverse = Math.fround(1 / scale)
  return Number.isFinite(inverse) ? inverse : 0
}

function nibble(value: number, inverse: number): number {
  return Math.min(15, Math.trunc(Math.fround(Math.fround(value * inverse) + 8.5)))
}

const scratch = new DataView(new ArrayBuffer(4))

/** IEEE 754 binary16 bits of a 32-bit float, round to nearest, ties to even; too large a value becomes an infinity. */
export function halfBits(value: number): number {
  scratch.setFloat32(0, value)
  const bits = scratch.getUint32(0)
  const sign = (bits >>> 16) & 0x8000
  const exponent = (bits >>> 23) & 0xff
  const fraction = bits & 0x7fffff
  if (exponent === 0xff) return sign | 0x7c00 | (fraction ? 0x200 | (fraction >>> 13) : 0)
  const shifted = exponent - 112
  if (shifted >= 31) return sign | 0x7c00
  // Subnormal halves lose more bits than normal ones; below a quarter of the smallest nothing is left.
  if (shifted < -10) return sign
  const whole = shifted > 0 ? fraction : fraction | 0x800000
  const lost = shifted > 0 ? 13 : 14 - shifted
  const kept = (shifted > 0 ? shifted << 10 : 0) + (whole >>> lost)
  const rest = whole & ((1 << lost) - 1)
  const tie = 1 << (lost - 1)
  return sign | (kept + (rest > tie || (rest === tie && kept & 1) ? 1 : 0))
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw new RangeError(`a weight is ${value}`)
  return value
}

/** The bits of a finite half. */
function storable(value: number): number {
  const bits = halfBits(finite(value))
  if ((bits & 0x7c00) === 0x7c00) throw new RangeError(`a weight or scale is ${value}, more than a 16-bit float can hold`)
  return bits
}
