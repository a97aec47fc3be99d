import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dequantise, half, TENSOR_TYPES, type TensorType } from './dequantise.ts'

/** Blocks with ordinary and extreme scales, and the hash of what the gguf package makes of them (scripts/fixtures/blocks.py). */
type Fixture = { blocks: string; sha256: string; count: number; first: number[] }
const fixtures = JSON.parse(readFileSync(new URL('./fixtures/blocks.json', import.meta.url), 'utf8')) as Record<string, Fixture>

/** Hash of the bits; every not-a-number counts as one. */
function hash(values: Float32Array): string {
  const bits = new Uint32Array(values.slice().buffer)
  for (const [index, value] of values.entries()) if (Number.isNaN(value)) bits[index] = 0x7fc00000
  return createHash('sha256').update(new Uint8Array(bits.buffer)).digest('hex')
}

describe('expanding', () => {
  it('has a fixture of every type but plain floats', () => {
    expect(Object.keys(fixtures).sort()).toEqual(
      Object.keys(TENSOR_TYPES)
        .filter((type) => type !== 'F32')
        .sort(),
    )
  })

  it.each(Object.entries(fixtures))('%s equals the reference dequantiser to the last bit', (type, { blocks, sha256, count, first }) => {
    // One byte off, so that nothing may count on how the bytes are aligned.
    const bytes = Buffer.concat([Buffer.from([9]), Buffer.from(blocks, 'base64')]).subarray(1)
    const values = dequantise(type as TensorType, new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length))
    expect(values.length).toBe(count)
    expect([...values.subarray(0, 8)].filter(Number.isFinite)).toEqual(first)
    expect(hash(values)).toBe(sha256)
    const room = new Float32Array(count + 3).fill(7)
    expect(hash(dequantise(type as TensorType, bytes, room))).toBe(sha256)
    expect([...room.subarray(count)]).toEqual([7, 7, 7])
  })

  it('expands plain floats, and refuses parts of blocks and too little room', () => {
    expect([...dequantise('F32', new Uint8Array(Float32Array.of(1.5, -2).buffer))]).toEqual([1.5, -2])
    expect(() => dequantise('Q4_K', new Uint8Array(143))).toThrow('143 bytes are not whole blocks of Q4_K')
    expect(() => dequantise('Q8_0', new Uint8Array(34), new Float32Array(31))).toThrow('32 values do not fit into 31')
  })

  it('converts halves exactly, over all 65,536', () => {
    expect([0x0000, 0x8000, 0x3c00, 0xc000, 0x7bff, 0x0001, 0x03ff, 0x7c00].map(half)).toEqual([0, -0, 1, -2, 65504, 2 ** -24, 1023 * 2 ** -24, Infinity])
    expect(half(0x7e00)).toBeNaN()
    for (let bits = 1; bits < 0x7c00; bits++) if (!(half(bits) > half(bits - 1))) throw new Error(`half ${bits} is out of order`)
  })
})
