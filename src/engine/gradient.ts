/**
 * Gradient: the loss of a batch and its slopes by every trained number, layer by layer. All layers have one shape, so one
 * compiled forward and one compiled backward serve them all, fed with the weights of the layer that is due. Between the two
 * passes a layer keeps everything the backward reads, or what is dear to compute again (`products`), or its input only
 * (`boundaries`; Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"); the backward computes the rest anew.
 * Knows nothing of optimisers or of where batches come from.
 */
import type { Llama } from './architecture.ts'
import { pullback } from './autodiff.ts'
import { Graph, size, type Tensor } from './graph.ts'
import { openHead } from './head.ts'
import { expandedWeights, type LayerWeights, layerName, quantisedWeights } from './layer-weights.ts'
import { decoderLayer, type Extent, type LayerContext, placeInputs, rotaryTables } from './llama.ts'
import type { BatchValues } from './packing.ts'
import { partViews, type Trainable } from './parameters.ts'
import { gather, scatter } from './rows.ts'
import { openSession, type Session } from './session.ts'

export interface Gradient {
  /**
   * The loss and its slopes, by part in the order of the layout. Both are sums weighted by `values.weights`, so those of
   * the batches of one step add up. The arrays are overwritten by the next run.
   */
  run(parameters: Float32Array, values: BatchValues): Promise<{ loss: number; slopes: readonly Float32Array[] }>
  close(): Promise<void>
}

/** The loss alone, forward only, and the weight of the reads whose likeliest class is the right one. */
export interface Loss {
  run(parameters: Float32Array, values: BatchValues): Promise<{ loss: number; right: number }>
  close(): Promise<void>
}

export type Keep = 'everything' | 'products' | 'boundaries'

export type LossOptions = {
  trainable: Trainable
  /** Token ids of the classes that labels index; undefined: labels are token ids, judged among all of the vocabulary. */
  vocabulary: readonly number[] | undefined
  threads: number
  /** The frozen tensors, which several plans of one base can share; expanded when not given. */
  weights?: LayerWeights | undefined
  /** False where values are large and memory is dear (see `openSession`). */
  arena?: boolean | undefined
  /** Floats of logits computed at once. */
  logitsAtOnce?: number | undefined
}

/**
 * How a base is held and what is kept between the passes, by method. Over a quantised base memory is what decides: its blocks
 * stay as they are, only boundaries are kept, and no arena hoards what a layer has used.
 */
export function layerPlan(base: Llama, method: 'lora' | 'qlora' | 'full'): { weights: LayerWeights; keep: Keep; arena: boolean } {
  if (method === 'qlora') return { weights: quantisedWeights(base), keep: 'boundaries', arena: false }
  return { weights: expandedWeights(base), keep: 'products', arena: true }
}

/** When more than this share of the places is read, the last layer is computed everywhere, like the others. */
export const READS_WORTH_A_LAYER = 0.7

/** Compiles the layers and the head forwards and backwards for one extent. */
export async function openGradient(base: Llama, extent: Extent, options: LossOptions & { keep?: Keep | undefined }): Promise<Gradient> {
  const { layout } = options.trainable
  const { layers, width } = base.shape
  const plan = await openPlan(base, extent, { ...options, keep: options.keep ?? 'products' })
  const states = Array.from({ length: layers }, () => new Float32Array(extent.rows * extent.length * width))
  const kept = Array.from({ length: layers }, (_, layer) => plan.compiled(layer).kept.map(({ shape }) => new Float32Array(size(shape))))
  const slopes = layout.map(({ length }) => new Float32Array(length))
  const slopeOf = new Map(layout.map(({ name }, index) => [name, slopes[index]!]))
  const flows = [new Float32Array(states[0]!.length), new Float32Array(states[0]!.length)]
  return {
    async run(parameters, values) {
      const views = partViews(layout, parameters)
      const hidden = await plan.forward(views, values, states, kept)
      for (const slope of slopes) slope.fill(0)
      const { loss, slope } = await plan.head.run(parameters, hidden, values, slopeOf)
      let flow = slope
      if (plan.everywhere) {
        flow = flows[layers % 2]!.fill(0)
        scatter(slope, width, values.readPlaces, flow)
      }
      for (let layer = layers - 1; layer >= 0; layer--) {
        const { backward, lowest, kept: tensors, trained } = plan.compiled(layer)
        const fed: Fed = { ...plan.feeds(layer, views, values), state: states[layer]!, gradient: flow }
        for (const [index, { name }] of tensors.entries()) fed[name] = kept[layer]![index]!
        const own = trained.map((name) => slopeOf.get(layerName(name, layer))!)
        if (layer === 0 && lowest) await lowest.run(fed, own)
        else {
          const below = flows[layer % 2]!
          await backward!.run(fed, [...own, below])
          flow = below
        }
      }
      const embedding = slopeOf.get(EMBEDDING)
      if (embedding) scatter(flow, width, values.tokens, embedding)
      return { loss, slopes }
    },
    close: () => plan.close(),
  }
}

/** Compiles the layers and the head forwards for one extent. */
export async function openLoss(base: Llama, extent: Extent, options: LossOptions): Promise<Loss> {
  const { layers, width } = base.shape
  const plan = await openPlan(base, extent, { ...options, keep: undefined })
  const two = [new Float32Array(extent.rows * extent.length * width), new Float32Array(extent.rows * extent.length * width)]
  const states = Array.from({ length: layers }, (_, layer) => two[layer % 2]!)
  const nothing = states.map(() => [])
  return {
    async run(parameters, values) {
      const hidden = await plan.forward(partViews(options.trainable.layout, parameters), values, states, nothing)
      const { loss, right } = await plan.head.run(parameters, hidden, values)
      return { loss, right }
    },
    close: () => plan.close(),
  }
}

const EMBEDDING = 'token_embd.weight'

type Views = Record<string, Float32Array>
type Fed = Record<string, Float32Array | BigInt64Array>
type PlanOptions = LossOptions & { keep: Keep | undefined }

/** One layer, compiled as layer 0. `trained` are the tensors whose slopes the backward gives, before the slope of the state. */
type Compiled = {
  names: readonly string[]
  trained: readonly string[]
  kept: readonly Tensor[]
  output: Tensor
  forward: Session
  /** Absent where only the loss is wanted. */
  backward: Session | undefined
  /** Without the slope of the state, for a first layer below which nothing is trained. */
  lowest: Session | undefined
}

/** What the loss and the gradient share: compiled layers, the head, and the way forward through them. */
async function openPlan(base: Llama, extent: Extent, options: PlanOptions) {
  const { weights = expandedWeights(base), trainable, vocabulary, threads, logitsAtOnce, arena } = options
  const { shape } = base
  const { rows, length, reads } = extent
  const parts = new Map(trainable.layout.map((part) => [part.name, part]))
  const everywhere = reads >= length * READS_WORTH_A_LAYER
  const middle = shape.layers > 1 || everywhere ? await compileLayer(base, extent, 'all', options) : undefined
  const last = everywhere ? middle! : await compileLayer(base, extent, 'reads', options)
  const compiled = (layer: number): Compiled => (layer === shape.layers - 1 ? last : middle!)
  const head = await openHead({ base, weights, threads, parts, count: rows * reads, vocabulary, logitsAtOnce, arena })
  const final = new Float32Array(size(last.output.shape))

  /** What a compiled layer is fed with besides its state. */
  const feeds = (layer: number, views: Views, { positions, mask, readPlaces, readPositions, readMask }: BatchValues): Fed => {
    const { names, trained } = compiled(layer)
    const frozen = names.filter((name) => !parts.has(layerName(name, layer)))
    const own = Object.fromEntries(trained.map((name) => [name, views[layerName(name, layer)]!]))
    return { ...weights.layer(layer, frozen), ...own, positions, mask, readPlaces, readPositions, readMask }
  }
  return {
    ...{ everywhere, compiled, head, feeds },
    /** States at the read places after the last layer. `states[i]` receives what enters layer i, `kept[i]` what it keeps. */
    async forward(views: Views, values: BatchValues, states: readonly Float32Array[], kept: readonly (readonly Float32Array[])[]): Promise<Float32Array> {
      if (views[EMBEDDING]) gather(views[EMBEDDING], shape.width, values.tokens, states[0]!)
      else weights.rows(EMBEDDING, shape.width, values.tokens, states[0]!)
      for (let layer = 0; layer < shape.layers; layer++)
        await compiled(layer).forward.run({ ...feeds(layer, views, values), state: states[layer]! }, [states[layer + 1] ?? final, ...kept[layer]!])
      if (!everywhere) return final
      gather(final, shape.width, values.readPlaces, head.hidden)
      return head.hidden
    },
    async close() {
      for (const one of new Set([middle, last])) {
        await one?.forward.close()
        await one?.backward?.close()
        await one?.lowest?.close()
      }
      await head.close()
    },
  }
}

/** One layer as a graph, cut between its passes at what is kept, and what each pass gives. */
export type LayerGraph = {
  graph: Graph
  names: readonly string[]
  trained: readonly string[]
  kept: readonly Tensor[]
  output: Tensor
  /** Outputs of each pass; the backward and the lowest are given `kept`. */
  forward: readonly Tensor[]
  backward: readonly Tensor[] | undefined
  lowest: readonly Tensor[] | undefined
}

/** Writes a layer and its slopes as a graph; nothing is compiled, and no weight is read. */
export function layerGraph(base: Llama, extent: Extent, at: 'all' | 'reads', options: Pick<PlanOptions, 'keep' | 'trainable'>): LayerGraph {
  const { keep, trainable } = options
  const parts = new Set(trainable.layout.map(({ name }) => name))
  const graph = new Graph()
  const state = graph.parameter('state', [extent.rows * extent.length, base.shape.width])
  const names: string[] = []
  const products: Tensor[] = []
  const weight: LayerContext['weight'] = (name, shape) => {
    names.push(name)
    return parts.has(name) ? graph.parameter(name, shape) : graph.input(name, shape)
  }
  const context: LayerContext = {
    ...{ graph, shape: base.shape, extent, inputs: placeInputs(graph, extent), weight, lora: trainable.graph.lora, adapter: new Map() },
    ...{ turning: rotaryTables(graph, base.shape, extent.length), product: (tensor: Tensor) => void products.push(tensor) },
  }
  const output = decoderLayer(context, 0, state, at)
  const trained = graph.parameters.map(({ name }) => name).filter((name) => name !== state.name)
  if (!keep) return { graph, names, output, trained, kept: [], forward: [output], backward: undefined, lowest: undefined }
  const forwardNodes = graph.nodes.length
  const slopes = pullback(graph, output, graph.input('gradient', output.shape))
  const kept = keep === 'everything' ? readBack(graph, forwardNodes) : keep === 'products' ? products : []
  const own = trained.map((name) => slopes.get(name)!)
  const lowest = parts.has(EMBEDDING) || !own.length ? undefined : own
  return { graph, names, output, trained, kept, forward: [output, ...kept], backward: [...own, slopes.get(state.name)!], lowest }
}

/** One layer, compiled for each pass. */
async function compileLayer(base: Llama, extent: Extent, at: 'all' | 'reads', options: PlanOptions): Promise<Compiled> {
  const { threads, arena } = options
  const { graph, kept, ...layer } = layerGraph(base, extent, at, options)
  const open = (outputs: readonly Tensor[] | undefined) => (outputs ? openSession(graph, outputs, { threads, arena, given: kept }) : Promise.resolve(undefined))
  const forward = await openSession(graph, layer.forward, { threads, arena })
  return { ...layer, kept, forward, backward: await open(layer.backward), lowest: await open(layer.lowest) }
}

/** What the nodes of the backward read of the forward's results. Views of others are left out: to make them costs nothing. */
function readBack(graph: Graph, forwardNodes: number): Tensor[] {
  const views = new Map(graph.nodes.filter(({ operator }) => operator === 'Reshape').map(({ inputs, outputs }) => [outputs[0]!, inputs[0]!]))
  const made = new Map(graph.nodes.slice(0, forwardNodes).flatMap(({ results }) => results.map((tensor) => [tensor.name, tensor])))
  const found = new Set<Tensor>()
  for (const name of graph.nodes.slice(forwardNodes).flatMap(({ inputs }) => inputs)) {
    let origin = name
    while (views.has(origin)) origin = views.get(origin)!
    const tensor = made.get(origin)
    if (tensor) found.add(tensor)
  }
  return [...found]
}
