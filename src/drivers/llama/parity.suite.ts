/**
 * Parity: the next-token distributions of one model by llama.cpp and by our graph, and how far they are apart. For tests.
 */
import type { LlamaContextOptions, LlamaModel, Token } from 'node-llama-cpp'
import { expect } from 'vitest'
import { adapterLayout } from '../../engine/adapter.ts'
import type { Llama } from '../../engine/architecture.ts'
import { logSumExp, openEvaluator } from '../../engine/evaluate.ts'
import type { LoraTargets } from '../../engine/llama.ts'

/** llama.cpp without what it saves on by rounding: keys and values stay 32-bit, attention is computed as written down. */
export const UNROUNDED: Partial<LlamaContextOptions> = { flashAttention: false, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' }

/** Log-probabilities of the next token after every token, as llama.cpp gives them; by default as it is served. */
export async function theirs(model: LlamaModel, tokens: readonly number[], options: Partial<LlamaContextOptions> = {}): Promise<Map<Token, number>[]> {
  const context = await model.createContext({ contextSize: 256, threads: 1, ...options })
  const steps = await context.getSequence().controlledEvaluate(tokens.map((token) => [token as Token, { generateNext: { probabilities: true } }]))
  await context.dispose()
  return steps.map((step) => new Map([...step!.next.probabilities!].map(([token, probability]) => [token, Math.log(probability)])))
}

/** The same by our graph, with a second sequence packed beside it, which must not matter. */
export async function ours(base: Llama, tokens: readonly number[], adapter?: { settings: LoraTargets; values: Float32Array }): Promise<Float32Array[]> {
  const extent = { rows: 1, length: tokens.length + 7, reads: tokens.length + 1 }
  const lora = adapter ? { lora: adapter.settings, layout: adapterLayout(base, adapter.settings) } : {}
  const evaluator = await openEvaluator(base, extent, { threads: 1, ...lora })
  const sequence = { tokens, reads: tokens.map((_, position) => ({ position, label: 0, weight: 1 })) }
  const neighbour = { tokens: [5, 70, 90, 120, 44], reads: [{ position: 4, label: 0, weight: 1 }] }
  const { logits } = await evaluator.run([[neighbour, sequence]], adapter?.values)
  await evaluator.close()
  return logits.slice(1).map((row) => {
    const total = logSumExp(row)
    return row.map((value) => value - total)
  })
}

/** Largest differences: of log-probabilities where a token has at least 1e-4, and of probabilities. */
export function compare(mine: Float32Array[], other: Map<Token, number>[]): { logarithm: number; probability: number } {
  let logarithm = 0
  let probability = 0
  expect(mine.length).toBe(other.length)
  for (const [index, distribution] of other.entries())
    for (const [token, value] of distribution) {
      if (value > Math.log(1e-4)) logarithm = Math.max(logarithm, Math.abs(value - mine[index]![token]!))
      probability = Math.max(probability, Math.abs(Math.exp(value) - Math.exp(mine[index]![token]!)))
    }
  return { logarithm, probability }
}
