/**
 * One training of a made-up base of a given shape, in a process of its own: prints what it took as one JSON line. For the
 * measurements beside it and for the test of the memory estimate. Knows nothing of estimates.
 *
 *   node --import tsx bench/engine/fit.ts '{"width":256,...}'
 */
import type { Llama, LlamaShape } from '../../src/engine/architecture.ts'
import { matrixShape } from '../../src/engine/architecture.ts'
import type { Sequence } from '../../src/engine/packing.ts'
import { generator } from '../../src/engine/random.ts'
import { train } from '../../src/engine/training.ts'

export type FitRequest = {
  shape: Pick<LlamaShape, 'width' | 'layers' | 'heads' | 'groups' | 'headWidth' | 'feedForward' | 'vocabulary' | 'tied'>
  rank: number
  tokensPerStep: number
  /** Tokens of every sequence, and how many places of it are read. */
  length: number
  reads: number
  labels: number
  steps: number
  threads: number
}
export type FitResult = { seconds: number; startSeconds: number; secondsPerStep: number; peakBytes: number; startBytes: number }

const TARGETS = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down']

async function run(request: FitRequest): Promise<FitResult> {
  const { shape: sizes, rank, tokensPerStep, length, reads, labels, steps, threads } = request
  const shape: LlamaShape = { ...sizes, architecture: 'llama', rotary: 'interleaved', epsilon: 1e-5, ropeBase: 10_000 }
  const next = generator(1)
  const base: Llama = {
    shape,
    tensor(name) {
      if (name.includes('norm')) return new Float32Array(shape.width).fill(1)
      const [rows, columns] = name.startsWith('blk') ? matrixShape(shape, name.split('.')[2]!) : [shape.vocabulary, shape.width]
      const values = new Float32Array(rows * columns)
      for (let index = 0; index < values.length; index++) values[index] = (next() - 0.5) * 0.1
      return values
    },
  }
  const sequences: Sequence[] = Array.from({ length: Math.ceil((tokensPerStep * steps) / length) }, (_, row) => ({
    tokens: Array.from({ length }, (_, index) => (row * 31 + index * 7) % shape.vocabulary),
    reads: Array.from({ length: reads }, (_, index) => ({
      position: Math.floor(((index + 1) * length) / reads) - 1,
      label: (row + index) % labels,
      weight: 1,
    })),
  }))
  const startBytes = process.memoryUsage().rss
  const began = performance.now()
  const { state } = await train({
    base,
    training: sequences,
    validation: sequences.slice(0, Math.ceil(tokensPerStep / length)),
    vocabulary: Array.from({ length: labels }, (_, index) => index),
    settings: {
      ...{
        method: 'lora',
        optimiser: 'adamw',
        accumulate: 1,
        classWeights: 'none',
        rank,
        alpha: 2 * rank,
        targets: TARGETS,
        learningRate: 1e-3,
        weightDecay: 0,
        warmupSteps: 1,
        steps,
        tokensPerStep,
        clipNorm: 1,
      },
      ...{ validateEvery: steps, patience: 9, seed: 1, threads, maximumSeconds: 3600 },
    },
  })
  const wall = (performance.now() - began) / 1000
  const times = state.curve
    .filter(({ validationLoss }) => validationLoss === null)
    .map(({ seconds }, index, points) => seconds - (points[index - 1]?.seconds ?? 0))
    .slice(1)
    .sort((a, b) => a - b)
  return {
    seconds: state.seconds,
    startSeconds: wall - state.seconds,
    secondsPerStep: times[times.length >> 1] ?? state.seconds,
    peakBytes: process.resourceUsage().maxRSS * 1024,
    startBytes,
  }
}

console.log(JSON.stringify(await run(JSON.parse(process.argv[2]!) as FitRequest)))
