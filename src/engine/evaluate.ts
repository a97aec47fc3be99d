/**
 * Evaluate: the model forward only, for comparing with other implementations. Knows nothing of training.
 */
import type { LoraSettings } from './adapter.ts'
import type { Llama } from './architecture.ts'
import { buildLlama, type Extent } from './llama.ts'
import { type Batch, batchValues, readWeight } from './packing.ts'
import { type Part, partViews } from './parameters.ts'
import { openSession } from './session.ts'

export interface Evaluator {
  /** Logits over the vocabulary rows of every read of a batch, in the batch's order, and the weighted mean loss in nats. */
  run(batch: Batch, adapter?: Float32Array): Promise<{ loss: number; weight: number; logits: Float32Array[] }>
  close(): Promise<void>
}

/** Opens the forward pass of a base for one extent. `vocabulary` are the token ids of the classes; without it, all of them. */
export async function openEvaluator(
  base: Llama,
  extent: Extent,
  options: { threads: number; vocabulary?: readonly number[]; lora?: LoraSettings; layout?: readonly Part[] },
): Promise<Evaluator> {
  const { graph, logits } = buildLlama(base, extent, options)
  const classes = options.vocabulary?.length ?? base.shape.vocabulary
  const session = await openSession(graph, [logits], { threads: options.threads })
  return {
    async run(batch, adapter) {
      const values = batchValues(batch, extent, classes)
      const parameters = adapter ? partViews(options.layout ?? [], adapter) : {}
      const { tokens, positions, mask, readPlaces, readPositions, readMask } = values
      const [all] = await session.run({ ...parameters, tokens, positions, mask, readPlaces, readPositions, readMask })
      const found: Float32Array[] = []
      const weights = readWeight([batch])
      let loss = 0
      for (const [row, sequences] of batch.entries()) {
        let read = row * extent.reads
        for (const { label, weight } of sequences.flatMap(({ reads }) => reads)) {
          const scores = all!.slice(read * classes, (read + 1) * classes)
          found.push(scores)
          loss += weight * (logSumExp(scores) - scores[label]!)
          read++
        }
      }
      return { loss: weights > 0 ? loss / weights : 0, weight: weights, logits: found }
    },
    close: () => session.close(),
  }
}

/** log(sum(exp(values))), without overflow. */
export function logSumExp(values: Float32Array): number {
  let most = Number.NEGATIVE_INFINITY
  for (const value of values) if (value > most) most = value
  let sum = 0
  for (const value of values) sum += Math.exp(value - most)
  return most + Math.log(sum)
}
