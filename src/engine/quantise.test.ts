/** The quantisers against the bits of the gguf package's reference (scripts/fixtures/quantise.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { dequantise, half } from './dequantise.ts'
import { halfBits, quantise } from './quantise.ts'

const fixture = JSON.parse(readFileSync(new URL('./fixtures/quantise.json', import.meta.url), 'utf8')) as Record<string, string>
const bytes = (name: string) => new Uint8Array(Buffer.from(fixture[name]!, 'base64'))
const floats = (name: string) => new Float32Array(bytes(name).buffer)

describe('quantising', () => {
  it.each(['Q8_0', 'Q4_0', 'F16'] as const)('%s gives the bits of the reference', (type) => {
    const values = floats('values')
    expect(values.length).toBe(17 * 32)
    expect([...quantise(type, values)]).toEqual([...bytes(type)])
  })

  it('rounds halves to the nearest, ties to even, as numpy does', () => {
    const wanted = new Uint16Array(bytes('halfBits').buffer)
    expect([...floats('halves')].map(halfBits)).toEqual([...wanted])
  })

  it('gives every half back, all 65,536 of them', () => {
    for (let bits = 0; bits < 65536; bits++) {
      const value = half(bits)
      if (Number.isNaN(value)) expect(half(halfBits(value))).toBeNaN()
      else if (halfBits(value) !== bits) throw new Error(`half ${bits} is ${value} and came back as ${halfBits(value)}`)
    }
  })

  it('keeps 32-bit floats and what Q8_0 already held', () => {
    const values = floats('values').subarray(0, 8 * 32)
    expect([...dequantise('F32', quantise('F32', values))]).toEqual([...values])
    const once = dequantise('Q8_0', quantise('Q8_0', values))
    const error = values.map((value, index) => Math.abs(value - once[index]!))
    for (let block = 0; block < 8; block++) {
      const largest = Math.max(...values.subarray(block * 32, block * 32 + 32).map(Math.abs))
      // Half a step, and the half-precision scale's own error times 127, and below it the smallest half.
      expect(Math.max(...error.subarray(block * 32, block * 32 + 32))).toBeLessThan(largest * (0.5 / 127 + 2 ** -11) + 127 * 2 ** -25 + 1e-12)
    }
  })

  it.each<[string, number[], 'F32' | 'F16' | 'Q8_0' | 'Q4_0']>([
    ['NaN', [Number.NaN], 'F32'],
    ['an infinity', [Number.NEGATIVE_INFINITY], 'F16'],
    ['more than a half can hold', [70000], 'F16'],
    ['a NaN in a block', [1, Number.NaN, ...Array<number>(30).fill(1)], 'Q8_0'],
    ['a NaN in a block', [1, Number.NaN, ...Array<number>(30).fill(1)], 'Q4_0'],
    ['a scale that a half cannot hold', Array<number>(32).fill(1e7), 'Q8_0'],
  ])('refuses %s', (_, values, type) => {
    expect(() => quantise(type, Float32Array.from(values))).toThrow(/a weight( or scale)? is/)
  })

  it('takes values so small that their scale has no inverse', () => {
    expect([...dequantise('Q8_0', quantise('Q8_0', new Float32Array(32).fill(1e-40)))]).toEqual(Array(32).fill(0))
    expect([...quantise('Q4_0', new Float32Array(32).fill(-1e-40))]).toEqual([0, 0, ...Array(16).fill(0x88)])
  })

  it('refuses a part of a block', () => {
    expect(() => quantise('Q4_0', new Float32Array(33))).toThrow('33 values are not a whole number of Q4_0 blocks')
  })
})
