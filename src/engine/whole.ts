/**
 * Whole: the loss of a batch and its slopes by one graph of the whole model, frozen weights inside it. For small bases: no
 * value crosses between JavaScript and onnxruntime within a step, nothing is computed twice, and frozen matrices are laid
 * out for the product once. It holds every activation at once, so it serves only where that is little. Knows nothing of
 * optimisers or of where batches come from.
 */
import type { Llama } from './architecture.ts'
import { gradients } from './autodiff.ts'
import type { Gradient } from './gradient.ts'
import type { Graph, Tensor } from './graph.ts'
import { buildLlama, type Extent, type WeightSource } from './llama.ts'
import { linearCrossEntropy } from './ops.ts'
import { partViews, type Trainable } from './parameters.ts'
import { openSession } from './session.ts'

export type WholeOptions = {
  trainable: Trainable
  /** Token ids of the classes that labels index; undefined: labels are token ids, judged among all of the vocabulary. */
  vocabulary: readonly number[] | undefined
}

/** Floats of logits one graph may hold: three arrays of them live at once. */
const LOGITS_AT_MOST = 1 << 25

/** Whether the head of so many classes is small enough to be computed for all places at once. */
export function headFits({ rows, reads }: Extent, classes: number): boolean {
  return rows * reads * classes <= LOGITS_AT_MOST
}

/** The loss and the slope of every part of the layout as a graph. `weight` says where frozen tensors come from; by default they are in the graph. */
export function wholeGraph(
  base: Llama,
  extent: Extent,
  { trainable, vocabulary, weight }: WholeOptions & { weight?: (graph: Graph) => WeightSource },
): { graph: Graph; outputs: readonly Tensor[] } {
  const source = trainable.graph.weight ?? weight
  const { graph, hidden, matrix } = buildLlama(base, extent, {
    vocabulary,
    ...(trainable.graph.lora ? { lora: trainable.graph.lora } : {}),
    ...(source ? { weight: source } : {}),
  })
  const places = extent.rows * extent.reads
  const { loss } = linearCrossEntropy(graph, hidden, matrix, {
    labels: graph.input('labels', [places], 'int64'),
    weights: graph.input('weights', [places]),
    ...(vocabulary ? { offset: graph.input('allowed', [places, vocabulary.length]) } : {}),
  })
  const slopes = gradients(graph, loss)
  return { graph, outputs: [loss, ...trainable.layout.map(({ name }) => slopes.get(name)!)] }
}

/** Compiles the whole model forwards and backwards for one extent. */
export async function openWholeGradient(base: Llama, extent: Extent, options: WholeOptions & { threads: number }): Promise<Gradient> {
  const { layout } = options.trainable
  const { graph, outputs } = wholeGraph(base, extent, options)
  const session = await openSession(graph, outputs, { threads: options.threads })
  return {
    async run(parameters, { tokenCount: _, ...values }) {
      const [loss, ...slopes] = await session.run({ ...partViews(layout, parameters), ...values })
      return { loss: loss![0]!, slopes }
    },
    close: () => session.close(),
  }
}
