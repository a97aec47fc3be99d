import { describe, expect, it } from 'vitest'
import { fitHyperplane, score, sparse } from './linear.ts'

const row = (...values: number[]) => ({ indices: Int32Array.from(values.keys()), values: Float32Array.from(values) })

describe('dual coordinate descent', () => {
  const lists = [row(2, 1), row(1, 2), row(3, 1), row(-1, -2), row(-2, -1), row(-2, 0.5)]
  const rows = sparse(2, lists)
  const positive = Uint8Array.from([1, 1, 1, 0, 0, 0])
  const objective = (weights: Float64Array, penalty: number): number => {
    let value = 0.5 * weights.reduce((sum, weight) => sum + weight * weight, 0)
    for (let index = 0; index < lists.length; index++) value += penalty * Math.max(0, 1 - (positive[index] ? 1 : -1) * score(weights, rows, index)) ** 2
    return value
  }

  it('reaches the minimum of the primal objective', () => {
    const { weights } = fitHyperplane(rows, positive, { positive: 0.7, negative: 0.7, tolerance: 1e-8, maximumSweeps: 5000 })
    const reached = objective(weights, 0.7)
    for (const index of [0, 1, 2])
      for (const step of [1e-3, -1e-3]) {
        const moved = Float64Array.from(weights)
        moved[index]! += step
        expect(objective(moved, 0.7)).toBeGreaterThan(reached)
      }
  })

  it('comes to the same place from another solution', () => {
    const start = fitHyperplane(rows, positive, { positive: 0.1, negative: 0.1 })
    const warm = fitHyperplane(rows, positive, { positive: 1, negative: 1, tolerance: 1e-8, maximumSweeps: 5000, from: start })
    const cold = fitHyperplane(rows, positive, { positive: 1, negative: 1, tolerance: 1e-8, maximumSweeps: 5000 })
    for (const [index, weight] of cold.weights.entries()) expect(warm.weights[index]).toBeCloseTo(weight, 5)
  })
})
