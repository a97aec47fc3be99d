/**
 * Muon (Jordan 2024): steps a matrix by its momentum made orthogonal, as large as AdamW's steps usually are (Liu et al. 2025, "Muon is
 * scalable for LLM training", section 2.2). The rules are those of pretrain.py. Knows nothing of models.
 */
import { Graph, type Shape, size } from '../../src/engine/graph.ts'
import { gemm } from '../../src/engine/ops.ts'
import type { Part, StepOptions } from '../../src/engine/parameters.ts'
import { openSession, type Session } from '../../src/engine/session.ts'

/** Newton-Schulz coefficients and steps: singular values end between about 0.7 and 1.2, which is near enough (Jordan 2024). */
const [LINEAR, CUBIC, QUINTIC] = [3.4445, -4.775, 2.0315]
const STEPS = 5

export type Muon = {
  /** One update of the chosen parts of `parameters` in place; `means` is an array of the same length that starts at zero. */
  step(parameters: Float32Array, slopes: readonly Float32Array[], means: Float32Array, options: StepOptions): Promise<void>
  close(): Promise<void>
}

/** Opens one product session a shape. `rate` is a multiple of the learning rate; `chosen` says which parts are stepped: matrices alone. */
export async function openMuon(
  layout: readonly Part[],
  { momentum, rate, threads, chosen }: { momentum: number; rate: number; threads: number; chosen: (part: Part) => boolean },
): Promise<Muon> {
  const sessions = new Map<string, Session>()
  for (const part of layout) if (chosen(part) && !sessions.has(String(part.shape))) sessions.set(String(part.shape), await openOrthogonal(part.shape, threads))
  return {
    async step(parameters, slopes, means, { learningRate, weightDecay, scale }) {
      const step = learningRate * rate
      for (const [index, part] of layout.entries()) {
        if (!chosen(part)) continue
        const own = (values: Float32Array) => values.subarray(part.offset, part.offset + part.length)
        const [mean, slope, weights] = [own(means), slopes[index]!, own(parameters)]
        const ahead = new Float32Array(part.length)
        let squares = 0
        for (let at = 0; at < part.length; at++) {
          mean[at]! += (1 - momentum) * (slope[at]! * scale - mean[at]!)
          ahead[at] = slope[at]! * scale + momentum * (mean[at]! - slope[at]! * scale)
          squares += ahead[at]! * ahead[at]!
        }
        const norm = Math.sqrt(squares) + 1e-7
        for (let at = 0; at < part.length; at++) ahead[at]! /= norm
        const [update] = await sessions.get(String(part.shape))!.run({ x: ahead })
        const [keep, length] = [1 - step * weightDecay, step * 0.2 * Math.sqrt(Math.max(...part.shape))]
        for (let at = 0; at < part.length; at++) weights[at] = weights[at]! * keep - length * update![at]!
      }
    },
    async close() {
      for (const session of sessions.values()) await session.close()
    },
  }
}

/** x of Frobenius norm one -> the nearest matrix with orthonormal rows or columns, whichever are fewer, roughly. */
async function openOrthogonal(shape: Shape, threads: number): Promise<Session> {
  const graph = new Graph()
  const times = (x: ReturnType<Graph['input']>, factor: number) => graph.node('Mul', [x, graph.scalar(factor)], x.shape)
  const tall = shape[0]! > shape[1]!
  let x = graph.input('x', shape)
  for (let step = 0; step < STEPS; step++) {
    const square = gemm(graph, x, x, tall ? { transposeA: true } : { transposeB: true })
    const both = gemm(graph, square, square, { alpha: QUINTIC, addend: times(square, CUBIC) })
    x = tall ? gemm(graph, x, both, { addend: times(x, LINEAR) }) : gemm(graph, both, x, { addend: times(x, LINEAR) })
  }
  if (size(x.shape) !== size(shape)) throw new RangeError(`A matrix [${shape}] cannot be made orthogonal as [${x.shape}].`)
  return openSession(graph, [x], { threads })
}
