/**
 * Memory: how many bytes of values a graph holds at once when its nodes run in order, and with it what a training run will
 * hold, from shapes alone: no weight is read. Knows nothing of the machine.
 */
import { type LlamaShape, matrixShape } from './architecture.ts'
import { gradients } from './autodiff.ts'
import { lossGraph } from './gradient.ts'
import { type Graph, type Shape, size, type Tensor } from './graph.ts'
import type { Extent } from './llama.ts'
import { type Trainable, totalLength } from './parameters.ts'

const FLOAT_BYTES = 4
const LAYER_MATRICES = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down']
/** Operators whose output is their input's memory under another shape. */
const VIEWS = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten'])

/** Bytes that a training run holds, by what holds them. */
export type TrainingMemory = {
  /** The base as 32-bit floats, once. */
  weights: number
  /** The trained numbers, once. */
  trained: number
  /** The most that the values of the loss and its gradients take at one moment. */
  gradient: number
  /** The same for the forward pass that validates. */
  validation: number
}

/** Number of a base's values: all of them, and those of the layers' matrices alone. */
export function countParameters(shape: LlamaShape): { all: number; matrices: number } {
  const layer = LAYER_MATRICES.reduce((sum, stem) => sum + size(matrixShape(shape, stem)), 0)
  const matrices = shape.layers * layer
  const embedding = shape.vocabulary * shape.width
  return { matrices, all: matrices + embedding * (shape.tied ? 1 : 2) + (2 * shape.layers + 1) * shape.width }
}

/**
 * What training `trainable` on a base of this shape holds, `extent` at a time. `labels` is the number of classes told
 * apart; undefined: the whole vocabulary.
 */
export function trainingMemory(shape: LlamaShape, extent: Extent, options: { trainable: Trainable; labels: number | undefined }): TrainingMemory {
  const { trainable, labels } = options
  const vocabulary = labels === undefined ? undefined : Array.from({ length: Math.min(labels, shape.vocabulary) }, (_, index) => index)
  // The graphs are built over inputs in the place of frozen weights, so that nothing is read from disk.
  const inputs = (graph: Graph) => (name: string, wanted: Shape) => graph.input(name, wanted)
  const empty = { shape, tensor: () => new Float32Array() }
  const build = () => lossGraph(empty, extent, { trainable: { ...trainable, graph: { weight: inputs, ...trainable.graph } }, vocabulary })
  const forward = build()
  const { graph, loss } = build()
  const slopes = gradients(graph, loss)
  return {
    weights: countParameters(shape).all * FLOAT_BYTES,
    trained: totalLength(trainable.layout) * FLOAT_BYTES,
    gradient: peakValues(graph, [loss, ...trainable.layout.map(({ name }) => slopes.get(name)!)]) * FLOAT_BYTES,
    validation: peakValues(forward.graph, [forward.loss]) * FLOAT_BYTES,
  }
}

/** The most values alive at one moment: each from the node that makes it to the last that reads it, outputs to the end. */
export function peakValues(graph: Graph, outputs: readonly Tensor[]): number {
  const maker = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const needed = new Set<(typeof graph.nodes)[number]>()
  const asked = outputs.map(({ name }) => name)
  while (asked.length) {
    const node = maker.get(asked.pop()!)
    if (!node || needed.has(node)) continue
    needed.add(node)
    asked.push(...node.inputs)
  }
  const order = graph.nodes.filter((node) => needed.has(node))
  const owner = new Map<string, string>()
  const owned = (name: string): string => owner.get(name) ?? name
  const last = new Map<string, number>()
  for (const [index, node] of order.entries()) {
    if (VIEWS.has(node.operator)) owner.set(node.outputs[0]!, owned(node.inputs[0]!))
    for (const name of node.inputs) last.set(owned(name), index)
  }
  for (const { name } of outputs) last.set(owned(name), order.length)
  const live = new Map<string, number>()
  let now = 0
  let peak = 0
  for (const [index, node] of order.entries()) {
    if (!VIEWS.has(node.operator))
      for (const [place, name] of node.outputs.entries()) {
        if (!last.has(name)) continue
        live.set(name, size(node.results[place]!.shape))
        now += live.get(name)!
      }
    peak = Math.max(peak, now)
    for (const name of node.inputs) {
      const held = owned(name)
      if (last.get(held) !== index) continue
      now -= live.get(held) ?? 0
      live.delete(held)
    }
  }
  return peak
}
