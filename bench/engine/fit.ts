/**
 * One training of a made-up base of a given shape, in a process of its own: prints what it took as one JSON line. For the
 * measurements beside it and for the test of the memory estimate. Knows nothing of estimates.
 *
 *   node --import tsx bench/engine/fit.ts '{"shape":{"width":256,...},"recipe":{"rank":16,...},...}'
 */
import { type Llama, type LlamaShape, matrixShape } from '../../src/engine/architecture.ts'
import type { Sequence } from '../../src/engine/packing.ts'
import { generator } from '../../src/engine/random.ts'
import { type TrainingSettings, train } from '../../src/engine/training.ts'

export type FitRequest = {
  shape: LlamaShape
  settings: TrainingSettings
  /** Tokens of every sequence, and how many places of it are read. */
  length: number
  reads: number
  labels: number
}
export type FitResult = {
  /** Of the whole run as the engine counts it, of what went before, of one step (median without the first). */
  seconds: number
  startSeconds: number
  secondsPerStep: number
  /** Most memory of this process, code and all. */
  peakBytes: number
}

function made(shape: LlamaShape): Llama {
  const next = generator(1)
  return {
    shape,
    tensor(name) {
      if (name.includes('norm')) return new Float32Array(shape.width).fill(1)
      const [rows, columns] = name.startsWith('blk') ? matrixShape(shape, name.split('.')[2]!) : [shape.vocabulary, shape.width]
      const values = new Float32Array(rows * columns)
      for (let index = 0; index < values.length; index++) values[index] = (next() - 0.5) * 0.1
      return values
    },
  }
}

async function run({ shape, settings, length, reads, labels }: FitRequest): Promise<FitResult> {
  const { steps, tokensPerStep } = settings
  const sequences: Sequence[] = Array.from({ length: Math.ceil((tokensPerStep * steps) / length) }, (_, row) => ({
    tokens: Array.from({ length }, (_, index) => (row * 31 + index * 7) % shape.vocabulary),
    reads: Array.from({ length: reads }, (_, index) => ({
      position: Math.floor(((index + 1) * length) / reads) - 1,
      label: (row + index) % labels,
      weight: 1,
    })),
  }))
  const began = performance.now()
  const { state } = await train({
    base: made(shape),
    training: sequences,
    validation: sequences.slice(0, Math.ceil(tokensPerStep / length)),
    vocabulary: Array.from({ length: labels }, (_, index) => index),
    settings,
  })
  const wall = (performance.now() - began) / 1000
  // Points between two validations are a step apart when a run is short.
  const gaps = state.curve.flatMap(({ step, seconds, validationLoss }, index) => {
    const before = state.curve[index - 1]
    return before && validationLoss === null && before.validationLoss === null ? [(seconds - before.seconds) / (step - before.step)] : []
  })
  gaps.sort((a, b) => a - b)
  return {
    seconds: state.seconds,
    startSeconds: wall - state.seconds,
    secondsPerStep: gaps[gaps.length >> 1] ?? state.seconds / state.step,
    peakBytes: process.resourceUsage().maxRSS * 1024,
  }
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2]!) as FitRequest)))
