/**
 * Memory: how many bytes of values a graph holds at once when its nodes run in order, and with it what a training run will
 * hold, from shapes alone: no weight is read. Knows nothing of the machine.
 */
import { type LlamaShape, matrixShape } from './architecture.ts'
import { type Keep, type LayerGraph, layerGraph, READS_WORTH_A_LAYER } from './gradient.ts'
import { type Graph, size, type Tensor } from './graph.ts'
import type { Extent } from './llama.ts'
import { type Trainable, totalLength } from './parameters.ts'
import { wholeGraph } from './whole.ts'

const FLOAT_BYTES = 4
const LAYER_MATRICES = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down']
/** Operators whose output is their input's memory under another shape. */
const VIEWS = new Set(['Reshape', 'Identity', 'Squeeze', 'Unsqueeze', 'Flatten'])

/** Bytes that a training run holds, by what holds them. */
export type TrainingMemory = {
  /** The base: as 32-bit floats, or as its file has it with one layer expanded. */
  weights: number
  /** The trained numbers, once. */
  trained: number
  /** What stands between the passes: every layer's input and what it keeps, and the slopes on their way down. */
  held: number
  /** The most that each compiled pass makes for itself at one moment, all passes together. */
  made: number
}

/** Number of a base's values: all of them, and those of the layers' matrices alone. */
export function countParameters(shape: LlamaShape): { all: number; matrices: number } {
  const layer = LAYER_MATRICES.reduce((sum, stem) => sum + size(matrixShape(shape, stem)), 0)
  const matrices = shape.layers * layer
  const embedding = shape.vocabulary * shape.width
  return { matrices, all: matrices + embedding * (shape.tied ? 1 : 2) + (2 * shape.layers + 1) * shape.width }
}

/** Bytes up to which a step runs as one graph of the whole model, weights included. A laptop has that much to spare. */
const WHOLE_AT_MOST = 1.2e9

/**
 * Bytes that a step as one graph of the whole model makes for itself at one moment, without the head's logits, or undefined
 * where these and the weights are too much and it runs layer by layer. It follows from shapes alone, so a run that is taken up
 * again, on whatever machine, computes as it did before.
 */
export function wholeBytes(shape: LlamaShape, extent: Extent, trainable: Trainable): number | undefined {
  // The base's own arrays, and in the compiled graph once more, laid out for the product.
  const weights = 2 * countParameters(shape).all * FLOAT_BYTES
  if (weights > WHOLE_AT_MOST) return undefined
  const empty = { shape, tensor: () => new Float32Array() }
  const { graph, outputs } = wholeGraph(empty, extent, {
    ...{ trainable, vocabulary: [0] },
    weight: (graph) => {
      const found = new Map<string, Tensor>()
      return (name, wanted) => {
        const tensor = found.get(name) ?? graph.input(name, wanted)
        found.set(name, tensor)
        return tensor
      }
    },
  })
  const bytes = peakValues(graph, outputs) * FLOAT_BYTES
  return weights + bytes <= WHOLE_AT_MOST ? bytes : undefined
}

/**
 * What training `trainable` on a base of this shape holds, `extent` at a time, validation included. `fileBytes` of a base
 * that stays as its file has it; undefined: it is expanded.
 */
export function trainingMemory(
  shape: LlamaShape,
  extent: Extent,
  { trainable, fileBytes }: { trainable: Trainable; fileBytes?: number | undefined },
): TrainingMemory {
  const empty = { shape, tensor: () => new Float32Array() }
  const parameters = countParameters(shape).all * FLOAT_BYTES
  const whole = fileBytes === undefined ? wholeBytes(shape, extent, trainable) : undefined
  const graphs = (keep: Keep | undefined, at: 'all' | 'reads') => layerGraph(empty, extent, at, { keep, trainable })
  const keep = fileBytes === undefined ? 'products' : 'boundaries'
  const everywhere = extent.reads >= extent.length * READS_WORTH_A_LAYER
  const middle = graphs(keep, 'all')
  const last = everywhere ? middle : graphs(keep, 'reads')
  const kept = ({ kept }: LayerGraph) => kept.reduce((sum, tensor) => sum + size(tensor.shape), 0)
  const passes = (layer: LayerGraph) =>
    [layer.forward, layer.backward, layer.lowest].reduce(
      (sum, outputs, pass) => sum + (outputs ? peakValues(layer.graph, outputs, pass ? layer.kept : []) : 0),
      0,
    )
  const compiled = everywhere ? [middle] : [middle, last]
  const validating = everywhere ? [graphs(undefined, 'all')] : [graphs(undefined, 'all'), graphs(undefined, 'reads')]
  const state = extent.rows * extent.length * shape.width
  const layer = LAYER_MATRICES.reduce((sum, stem) => sum + size(matrixShape(shape, stem)), 0)
  const trained = totalLength(trainable.layout) * FLOAT_BYTES
  if (whole !== undefined)
    return {
      ...{ weights: 2 * parameters, trained, held: 0 },
      made: whole + validating.reduce((sum, one) => sum + passes(one), 0) * FLOAT_BYTES,
    }
  return {
    weights: fileBytes === undefined ? parameters : fileBytes + layer * FLOAT_BYTES,
    trained,
    held: (state * (shape.layers + 4) + kept(middle) * (shape.layers - 1) + kept(last)) * FLOAT_BYTES,
    made: [...compiled, ...validating].reduce((sum, one) => sum + passes(one), 0) * FLOAT_BYTES,
  }
}

/**
 * The most values that running a graph makes for itself at one moment: each from the node that makes it to the last that
 * reads it. Outputs and what is `given` stand in the caller's arrays and do not count.
 */
export function peakValues(graph: Graph, outputs: readonly Tensor[], given: readonly Tensor[] = []): number {
  const maker = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)))
  const needed = new Set<(typeof graph.nodes)[number]>()
  const outside = new Set([...outputs, ...given].map(({ name }) => name))
  const known = new Set(given.map(({ name }) => name))
  const asked = outputs.map(({ name }) => name)
  while (asked.length) {
    const name = asked.pop()!
    const node = known.has(name) ? undefined : maker.get(name)
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
  const live = new Map<string, number>()
  let now = 0
  let peak = 0
  for (const [index, node] of order.entries()) {
    if (!VIEWS.has(node.operator))
      for (const [place, name] of node.outputs.entries()) {
        if (!last.has(name) || outside.has(name)) continue
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
