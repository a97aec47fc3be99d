import { expect, it } from 'vitest'
import { generator } from '../../src/engine/random.ts'
import { openMuon } from './muon.ts'

const CHOSEN = () => true

/** Rows of a matrix [rows, columns]. */
const rowsOf = (values: Float32Array, columns: number) =>
  Array.from({ length: values.length / columns }, (_, row) => values.subarray(row * columns, (row + 1) * columns))
const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, index) => sum + value * b[index]!, 0)

it('steps by a matrix whose rows, or columns, stand at right angles, whatever the slope was', async () => {
  const next = generator(3)
  for (const [rows, columns] of [
    [8, 24],
    [24, 8],
  ] as const) {
    const layout = [{ name: 'm', shape: [rows, columns], offset: 0, length: rows * columns }]
    const muon = await openMuon(layout, { momentum: 0.95, rate: 2, threads: 1, chosen: CHOSEN })
    const weights = new Float32Array(rows * columns)
    // One direction is many times as steep as the rest: plain steps would see little else.
    const slope = Float32Array.from({ length: rows * columns }, (_, at) => next() - 0.5 + (at % columns === 0 ? 20 : 0))
    await muon.step(weights, [slope], new Float32Array(rows * columns), { step: 1, learningRate: 0.01, weightDecay: 0.1, scale: 1 })
    await muon.close()
    const length = 0.01 * 2 * 0.2 * Math.sqrt(24)
    const wide = rows < columns
    const lines = wide ? rowsOf(weights, columns) : rowsOf(transposed(weights, rows, columns), rows)
    for (const [index, line] of lines.entries()) {
      const norm = Math.sqrt(dot(line, line)) / length
      expect(norm).toBeGreaterThan(0.3)
      expect(norm).toBeLessThan(1.4)
      for (const other of lines.slice(0, index)) expect(Math.abs(dot(line, other)) / length ** 2).toBeLessThan(0.5)
    }
  }
})

it('leaves alone what was not chosen, and shrinks what was', async () => {
  const layout = [
    { name: 'a', shape: [4, 4], offset: 0, length: 16 },
    { name: 'b', shape: [4, 4], offset: 16, length: 16 },
  ]
  const muon = await openMuon(layout, { momentum: 0.9, rate: 1, threads: 1, chosen: ({ name }) => name === 'b' })
  const weights = new Float32Array(32).fill(1)
  const nothing = new Float32Array(16)
  await muon.step(weights, [nothing, nothing], new Float32Array(32), { step: 1, learningRate: 0.5, weightDecay: 0.1, scale: 1 })
  await muon.close()
  expect([...new Set(weights.subarray(0, 16))]).toEqual([1])
  expect(weights[20]).toBeCloseTo(0.95, 6)
})

function transposed(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from({ length: values.length }, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!)
}
