/**
 * Gradient: the loss of a batch, and its slopes by every trained number, from one graph of the whole model. Another plan
 * may stand behind the same interfaces. Knows nothing of optimisers or of where batches come from.
 */
import type { Llama } from './architecture.ts'
import { gradients } from './autodiff.ts'
import type { Graph, Tensor } from './graph.ts'
import { buildLlama, type Extent } from './llama.ts'
import { add, crossEntropy } from './ops.ts'
import type { BatchValues } from './packing.ts'
import { partViews, type Trainable } from './parameters.ts'
import { openSession } from './session.ts'

export interface Gradient {
  /**
   * The loss and its slopes, by part in the order of the layout. Both are sums weighted by `values.weights`, so those of
   * the batches of one step add up. The arrays are overwritten by the next run.
   */
  run(parameters: Float32Array, values: BatchValues): Promise<{ loss: number; slopes: readonly Float32Array[] }>
  close(): Promise<void>
}

/** The loss alone, forward only. */
export interface Loss {
  run(parameters: Float32Array, values: BatchValues): Promise<number>
  close(): Promise<void>
}

export type LossOptions = {
  trainable: Trainable
  /** Token ids of the classes that labels index; undefined: labels are token ids, judged among all of the vocabulary. */
  vocabulary: readonly number[] | undefined
  threads: number
}

/** Compiles the whole model forwards and backwards for one extent. */
export async function openGradient(base: Llama, extent: Extent, { trainable, vocabulary, threads }: LossOptions): Promise<Gradient> {
  const { graph, loss } = lossGraph(base, extent, { trainable, vocabulary })
  const found = gradients(graph, loss)
  const slopes = trainable.layout.map(({ name }) => {
    const slope = found.get(name)
    if (!slope) throw new RangeError(`The loss does not depend on ${name}, so it cannot be trained.`)
    return slope
  })
  const session = await openSession(graph, [loss, ...slopes], { threads })
  return {
    async run(parameters, values) {
      const [value, ...rest] = await session.run({ ...partViews(trainable.layout, parameters), ...arrays(values) })
      return { loss: value![0]!, slopes: rest }
    },
    close: () => session.close(),
  }
}

/** Compiles the whole model forwards for one extent. */
export async function openLoss(base: Llama, extent: Extent, { trainable, vocabulary, threads }: LossOptions): Promise<Loss> {
  const { graph, loss } = lossGraph(base, extent, { trainable, vocabulary })
  const session = await openSession(graph, [loss], { threads })
  return {
    run: async (parameters, values) => (await session.run({ ...partViews(trainable.layout, parameters), ...arrays(values) }))[0]![0]!,
    close: () => session.close(),
  }
}

/** The graph that the plans here compile. */
export function lossGraph(base: Llama, extent: Extent, { trainable, vocabulary }: Omit<LossOptions, 'threads'>): { graph: Graph; loss: Tensor } {
  const { graph, logits } = buildLlama(base, extent, { vocabulary, ...trainable.graph })
  return { graph, loss: readLoss(graph, logits, vocabulary !== undefined) }
}

/**
 * Cross-entropy of logits[reads, classes] against the inputs `labels` and `weights`, both [reads]. Among label tokens the
 * input `allowed` [reads, classes] is added first: 0, or a large negative number where a class is no choice.
 */
function readLoss(graph: Graph, logits: Tensor, amongLabels: boolean): Tensor {
  const [reads, classes] = logits.shape as [number, number]
  const labels = graph.input('labels', [reads], 'int64')
  const weights = graph.input('weights', [reads])
  const scores = amongLabels ? add(graph, logits, graph.input('allowed', [reads, classes])) : logits
  const ones = graph.node('OneHot', [labels, graph.integers([classes]), graph.constant(Float32Array.of(0, 1), [2])], logits.shape)
  const column = graph.node('Reshape', [weights, graph.integers([reads, 1])], [reads, 1])
  return crossEntropy(graph, scores, graph.node('Mul', [ones, column], logits.shape))
}

function arrays({ tokenCount: _tokens, ...rest }: BatchValues): Omit<BatchValues, 'tokenCount'> {
  return rest
}
