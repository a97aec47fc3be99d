/**
 * Layered: the loss and its gradients, layer by layer. All layers have one shape, so one compiled forward and one compiled
 * backward serve them all, fed with the weights of the layer that is due. Between the two passes a layer keeps everything the
 * backward reads, or what is dear to compute again (`products`), or its input only (`boundaries`; Chen et al. 2016, "Training
 * Deep Nets with Sublinear Memory Cost"); the backward computes the rest anew. Knows nothing of data or optimisers.
 */
import type { AdapterPart } from './adapter.ts'
import type { Llama } from './architecture.ts'
import { pullback } from './autodiff.ts'
import { Graph, size, type Tensor } from './graph.ts'
import { openHead } from './head.ts'
import { type LayerWeights, layerName } from './layer-weights.ts'
import { decoderLayer, type Extent, type LayerContext, type LoraTargets, placeInputs, rotaryTables } from './llama.ts'
import { gather, scatter } from './rows.ts'
import { openSession, type Session } from './session.ts'

export type Keep = 'everything' | 'products' | 'boundaries'

export type LayeredOptions = {
  base: Llama
  weights: LayerWeights
  extent: Extent
  threads: number
  keep: Keep
  /** The trained numbers: LoRA parts (`*.lora_a`, `*.lora_b`) with `lora`, else tensors of the model by their own names. */
  layout: readonly AdapterPart[]
  lora?: LoraTargets | undefined
  /** Token ids of the classes; labels index them. Without it the whole vocabulary is. */
  vocabulary?: readonly number[] | undefined
  logitsAtOnce?: number | undefined
}

/** Values of one batch, in the shapes of `LlamaInputs`; `labels` and `weights` are [rows * reads]. */
export type LayeredValues = {
  tokens: BigInt64Array
  positions: BigInt64Array
  mask: Float32Array
  readPlaces: BigInt64Array
  readPositions: BigInt64Array
  readMask: Float32Array
  labels: BigInt64Array
  weights: Float32Array
}

export interface Layered {
  /** The loss and the slopes of the layout's parts, in its order; the arrays are overwritten by the next run. */
  run(parameters: Float32Array, values: LayeredValues): Promise<{ loss: number; slopes: readonly Float32Array[] }>
  /** The loss alone, forward only. */
  loss(parameters: Float32Array, values: LayeredValues): Promise<number>
  close(): Promise<void>
}

/** When more than this share of the places is read, the last layer is computed everywhere, like the others. */
const READS_WORTH_A_LAYER = 0.7

type Compiled = {
  graph: Graph
  names: readonly string[]
  output: Tensor
  kept: readonly Tensor[]
  /** Trained tensors of layer 0 whose slopes the backward gives, before the slope of the state. */
  trained: readonly string[]
  forward: Session
  backward: Session
  /** Without the slope of the state, for a first layer below which nothing is trained. */
  lowest: Session | undefined
}

/** Compiles the layers and the head for one extent. */
export async function openLayered(options: LayeredOptions): Promise<Layered> {
  const { base, weights, extent, layout } = options
  const { shape } = base
  const { rows, length, reads } = extent
  const parts = new Map(layout.map((part) => [part.name, part]))
  const everywhere = reads >= length * READS_WORTH_A_LAYER
  const middle = shape.layers > 1 || everywhere ? await compileLayer(options, 'all', parts) : undefined
  const last = everywhere ? middle! : await compileLayer(options, 'reads', parts)
  const compiled = (layer: number) => (layer === shape.layers - 1 ? last : middle!)

  const states = Array.from({ length: shape.layers }, () => new Float32Array(rows * length * shape.width))
  const final = new Float32Array(size(last.output.shape))
  const keptOf = Array.from({ length: shape.layers }, (_, layer) => compiled(layer).kept.map((tensor) => new Float32Array(size(tensor.shape))))
  const slopes = layout.map((part) => new Float32Array(part.length))
  const slopeOf = new Map(layout.map(({ name }, index) => [name, slopes[index]!]))
  const head = await openHead({ ...options, parts, count: rows * reads })
  const gradients = [new Float32Array(rows * length * shape.width), new Float32Array(rows * length * shape.width)] as const

  /** The arrays a compiled layer is fed with, besides its state. */
  const feeds = (layer: number, parameters: Float32Array): Record<string, Float32Array> => {
    const { names, trained } = compiled(layer)
    const fed = weights.layer(
      layer,
      names.filter((name) => !parts.has(layerName(name, layer))),
    )
    for (const name of [...trained]) {
      const { offset, length: count } = parts.get(layerName(name, layer))!
      fed[name] = parameters.subarray(offset, offset + count)
    }
    return fed
  }
  const forward = async (parameters: Float32Array, values: LayeredValues, keepAll: boolean) => {
    const embedding = parts.get('token_embd.weight')
    if (embedding) gather(parameters.subarray(embedding.offset, embedding.offset + embedding.length), shape.width, values.tokens, states[0]!)
    else weights.rows('token_embd.weight', shape.width, values.tokens, states[0]!)
    const places = placesOf(values)
    for (let layer = 0; layer < shape.layers; layer++) {
      const output = layer === shape.layers - 1 ? final : states[keepAll ? layer + 1 : (layer + 1) % 2]!
      const state = states[keepAll ? layer : layer % 2]!
      await compiled(layer).forward.run({ ...feeds(layer, parameters), ...places, state }, [
        output,
        ...keptOf[keepAll ? layer : layer === shape.layers - 1 ? layer : 0]!,
      ])
    }
    if (!everywhere) return final
    gather(final, shape.width, values.readPlaces, head.hidden)
    return head.hidden
  }

  return {
    async run(parameters, values) {
      const hidden = await forward(parameters, values, true)
      for (const slope of slopes) slope.fill(0)
      const { loss, slope } = await head.run(parameters, hidden, values, slopeOf)
      let flowing: Float32Array = slope
      if (everywhere) {
        flowing = gradients[1]
        flowing.fill(0)
        scatter(slope, shape.width, values.readPlaces, flowing)
      }
      const places = placesOf(values)
      for (let layer = shape.layers - 1; layer >= 0; layer--) {
        const { backward, lowest, kept, trained, output } = compiled(layer)
        const session = (layer === 0 && lowest) || backward
        const found = gradients[layer % 2]!
        const fed: Record<string, Float32Array | BigInt64Array> = { ...feeds(layer, parameters), ...places, state: states[layer]! }
        for (const [index, tensor] of kept.entries()) fed[tensor.name] = keptOf[layer]![index]!
        fed.gradient = flowing.length === size(output.shape) ? flowing : flowing.subarray(0, size(output.shape))
        const own = trained.map((name) => slopeOf.get(layerName(name, layer))!)
        await session.run(fed, session === lowest ? own : [...own, found])
        flowing = found
      }
      const embedding = slopeOf.get('token_embd.weight')
      if (embedding) scatter(flowing, shape.width, values.tokens, embedding)
      return { loss, slopes }
    },
    async loss(parameters, values) {
      return (await head.run(parameters, await forward(parameters, values, false), values)).loss
    },
    async close() {
      for (const one of new Set([middle, last])) {
        await one?.forward.close()
        await one?.backward.close()
        await one?.lowest?.close()
      }
      await head.close()
    },
  }

  /** Where the model is read, for a graph that may need it. */
  function placesOf({ positions, mask, readPlaces, readPositions, readMask }: LayeredValues) {
    return { positions, mask, readPlaces, readPositions, readMask }
  }
}

/** One layer as a graph, cut between its passes at what is kept. */
async function compileLayer(options: LayeredOptions, at: 'all' | 'reads', parts: ReadonlyMap<string, AdapterPart>): Promise<Compiled> {
  const { base, extent, threads, keep, lora } = options
  const graph = new Graph()
  const state = graph.parameter('state', [extent.rows * extent.length, base.shape.width])
  const names: string[] = []
  const products: Tensor[] = []
  const weight: LayerContext['weight'] = (name, shape) => {
    names.push(name)
    return parts.has(name) ? graph.parameter(name, shape) : graph.input(name, shape)
  }
  const output = decoderLayer(
    {
      ...{ graph, shape: base.shape, extent, inputs: placeInputs(graph, extent), weight, lora, adapter: new Map() },
      ...{ turning: rotaryTables(graph, base.shape, extent.length), product: (tensor: Tensor) => void products.push(tensor) },
    },
    0,
    state,
    at,
  )
  const forwardNodes = graph.nodes.length
  const slopes = pullback(graph, output, graph.input('gradient', output.shape))
  const trained = graph.parameters.map(({ name }) => name).filter((name) => name !== 'state')
  const own = trained.map((name) => slopes.get(name)!)
  const kept = keep === 'products' ? products : keep === 'everything' ? readBack(graph, forwardNodes) : []
  return {
    ...{ graph, names, output, kept, trained },
    forward: await openSession(graph, [output, ...kept], { threads }),
    backward: await openSession(graph, [...own, slopes.get('state')!], { threads, given: kept }),
    lowest: parts.has('token_embd.weight') || !own.length ? undefined : await openSession(graph, own, { threads, given: kept }),
  }
}

/** What the nodes of the backward read of the forward's results. Views of others are left out: to make them costs nothing. */
function readBack(graph: Graph, forwardNodes: number): Tensor[] {
  const made = new Map(
    graph.nodes.slice(0, forwardNodes).flatMap((node) => (node.operator === 'Reshape' ? [] : node.results.map((tensor) => [tensor.name, tensor] as const))),
  )
  const source = new Map(graph.nodes.flatMap((node) => (node.operator === 'Reshape' ? [[node.outputs[0]!, node.inputs[0]!] as const] : [])))
  const found = new Set<Tensor>()
  for (const name of graph.nodes.slice(forwardNodes).flatMap((node) => node.inputs)) {
    let at = name
    while (source.has(at)) at = source.get(at)!
    const tensor = made.get(at)
    if (tensor) found.add(tensor)
  }
  return [...found]
}
