/**
 * Work: what one measurement trains, as both sides of the comparison read it, and the models it is done on. Knows nothing of
 * how it is measured.
 */
import type { RandomModel } from '../../src/engine/random-model.ts'

/** One measurement. `share` of the tokens of `rows` rows of `length` carry the loss, over the whole vocabulary. */
export type Work = {
  model: string
  method: 'lora' | 'qlora' | 'full'
  rows: number
  length: number
  share: number
  threads: number
  /** Steps timed, after one that is not. */
  steps: number
}

export const RANK = 16

/** Shapes by name; "135M" is SmolLM2-135M's, "0.5B" and "1.5B" are Qwen2.5's. Weights are random. */
export const MODELS: Record<string, RandomModel> = {
  '5M': { architecture: 'llama', width: 256, layers: 4, heads: 4, groups: 2, feedForward: 704, vocabulary: 8192, tied: true },
  '14M': { architecture: 'llama', width: 384, layers: 6, heads: 6, groups: 6, feedForward: 1024, vocabulary: 8192, tied: true },
  '45M': { architecture: 'llama', width: 512, layers: 10, heads: 8, groups: 4, feedForward: 1408, vocabulary: 16384, tied: true },
  '135M': { architecture: 'llama', width: 576, layers: 30, heads: 9, groups: 3, feedForward: 1536, vocabulary: 49152, tied: true },
  '0.5B': { architecture: 'qwen2', width: 896, layers: 24, heads: 14, groups: 2, feedForward: 4864, vocabulary: 151936, tied: true, type: 'Q4_0' },
  '1.5B': { architecture: 'qwen2', width: 1536, layers: 28, heads: 12, groups: 2, feedForward: 8960, vocabulary: 151936, tied: true, type: 'Q4_0' },
}

/** Parameters of a shape, the embedding counted once. */
export function parametersOf({ width, layers, heads, groups, feedForward, vocabulary = 0 }: RandomModel): { layers: number; embedding: number } {
  const head = width / heads
  return { layers: layers * (2 * width * heads * head + 2 * width * groups * head + 3 * width * feedForward), embedding: vocabulary * width }
}

/**
 * Floating-point operations a token that any implementation must do, matrix products only: forward and the way back through
 * frozen matrices 4 P, with their own slopes 6 P (P parameters); the head counts where the loss is; attention 2 length per
 * coordinate forward (causal: half of it) and twice that back; the adapter's own products.
 */
export function operationsPerToken(work: Work): number {
  const model = MODELS[work.model]!
  const { layers, embedding } = parametersOf(model)
  const passes = work.method === 'full' ? 6 : 4
  const attention = 3 * 2 * work.length * model.width * model.layers
  const { width, feedForward, heads, groups } = model
  const pairs = model.layers * (2 * (2 * width) + 2 * (width + (width * groups) / heads) + 3 * (width + feedForward))
  const adapter = work.method === 'full' ? 0 : 6 * RANK * pairs
  return passes * (layers + work.share * embedding) + attention + adapter
}
