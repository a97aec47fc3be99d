import { expect, it } from 'vitest'
import { batchValues, chooseExtent, pack, type Sequence } from './packing.ts'
import { generator } from './random.ts'
import { rate } from './schedule.ts'

const next = generator(2)
const sequences: Sequence[] = Array.from({ length: 300 }, () => {
  const length = 10 + Math.floor(next() * 90)
  return { tokens: Array.from({ length }, (_, index) => index), reads: [{ position: length - 1, label: 0, weight: 1 }] }
})

it('puts every sequence into exactly one batch, within the extent, and pads little', () => {
  const extent = chooseExtent(sequences, 2048)
  expect(extent.rows * extent.length).toBeLessThanOrEqual(2048)
  const batches = pack(sequences, extent)
  const placed = batches.flat(2)
  expect(placed.length).toBe(300)
  expect(new Set(placed).size).toBe(300)
  for (const row of batches.flat()) {
    expect(row.reduce((sum, { tokens }) => sum + tokens.length, 0)).toBeLessThanOrEqual(extent.length)
    expect(row.reduce((sum, { reads }) => sum + reads.length, 0)).toBeLessThanOrEqual(extent.reads)
  }
  const full = batches.slice(0, -1)
  const used = full.flat(2).reduce((sum, { tokens }) => sum + tokens.length, 0)
  expect(used / (full.length * extent.rows * extent.length)).toBeGreaterThan(0.85)
})

it('takes a sequence longer than a step by itself, and says when one cannot fit', () => {
  const long: Sequence = { tokens: new Array(3000).fill(1), reads: [{ position: 0, label: 0, weight: 1 }] }
  expect(chooseExtent([long], 2048)).toMatchObject({ rows: 1, length: 3000 })
  expect(() => pack([long], { rows: 2, length: 100, reads: 1 })).toThrow('3000 tokens')
})

it('masks everything but the own past of each sequence', () => {
  const one = (length: number): Sequence => ({ tokens: new Array(length).fill(9), reads: [{ position: length - 1, label: 1, weight: 2 }] })
  const values = batchValues([[one(2), one(1)]], { rows: 1, length: 4, reads: 3 }, 2)
  expect(Array.from(values.mask, (value) => (value === 0 ? 1 : 0))).toEqual([1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1])
  expect([...values.positions].map(Number)).toEqual([0, 1, 0, 0])
  expect([...values.readPlaces].map(Number)).toEqual([1, 2, 0])
  expect([...values.labels].map(Number)).toEqual([1, 1, 0])
  expect([...values.weights]).toEqual([0.5, 0.5, 0])
})

it('schedules warm-up, then a cosine over steps, and over time only when time is the shorter', () => {
  const options = { warmupSteps: 4, steps: 100, seconds: 0, maximumSeconds: 1000 }
  expect([0, 1, 2, 3, 4].map((step) => rate(step, options).toFixed(2))).toEqual(['0.20', '0.40', '0.60', '0.80', '1.00'])
  expect(rate(50, options)).toBeCloseTo(0.51, 2)
  expect(rate(100, options)).toBeCloseTo(0.02, 5)
  expect(rate(50, { ...options, seconds: 400 })).toBe(rate(50, options))
  expect(rate(50, { ...options, seconds: 990 })).toBeLessThan(0.03)
})
