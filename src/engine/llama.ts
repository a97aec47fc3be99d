/**
 * Llama: a decoder of the Llama family as a graph: RMSNorm, rotary positions, grouped-query attention, SwiGLU, with Qwen2's
 * biases and Qwen3's norms of queries and keys where the shape has them. The last layer is computed only where the model is read. Where its matrices come from (frozen in the graph, trained, or fed) is
 * for the caller to say. Knows nothing of training or files.
 */
import { type Llama, type LlamaShape, matrixShape } from './architecture.ts'
import { Graph, type Shape, size, type Tensor } from './graph.ts'
import { adaptedLinear, type LoraPair } from './lora.ts'
import { add, attention, gatherRows, linear, reshape, rmsNorm, rotary, swiglu, transpose } from './ops.ts'
import { addBias } from './ops-bias.ts'

/** Fixed extents of one run: `rows` of `length` tokens, each read at `reads` places. */
export type Extent = { rows: number; length: number; reads: number }

/** What is fed at every run besides the adapter. */
export type LlamaInputs = {
  /** [rows * length] token ids. */
  tokens: Tensor
  /** [rows, length] positions within each packed sequence. */
  positions: Tensor
  /** [rows, 1, length, length], 0 where a token may look and a large negative number elsewhere. */
  mask: Tensor
  /** [rows * reads] places read, as indices into `tokens`, and their positions [rows, reads] and masks [rows, 1, reads, length]. */
  readPlaces: Tensor
  readPositions: Tensor
  readMask: Tensor
}

/** `hidden` is [rows * reads, width] after the last norm and `matrix` the head rows [classes, width]: logits are their product. */
export type LlamaGraph = { graph: Graph; inputs: LlamaInputs; adapter: Map<string, LoraPair>; hidden: Tensor; matrix: Tensor; logits: Tensor }

export type LoraTargets = { rank: number; alpha: number; targets: readonly string[] }

/** A matrix or vector of the model by its GGUF name. */
export type WeightSource = (name: string, shape: Shape) => Tensor

/** What every layer of one graph shares. */
export type LayerContext = {
  graph: Graph
  shape: LlamaShape
  extent: Extent
  inputs: Omit<LlamaInputs, 'tokens'>
  turning: { cosine: Tensor; sine: Tensor; negativeSine: Tensor; form: LlamaShape['rotary'] }
  weight: WeightSource
  lora: LoraTargets | undefined
  /** Filled with the pairs that were added, by tensor name. */
  adapter: Map<string, LoraPair>
  /** Told of the values that are dear to compute again: results of matrix products over all tokens. */
  product?: ((tensor: Tensor) => void) | undefined
}

/**
 * The model as a graph. `logits` is [rows * reads, head rows]: the next-token logits at the read places over the rows of the
 * output matrix in `vocabulary`, or over all of them. `lora` adds a trainable pair, named by tensor, to each target.
 * `weight` says where matrices come from; by default they are frozen in the graph.
 */
export function buildLlama(
  base: Llama,
  extent: Extent,
  options: { vocabulary?: readonly number[] | undefined; lora?: LoraTargets | undefined; weight?: (graph: Graph) => WeightSource } = {},
): LlamaGraph {
  const { shape } = base
  const graph = new Graph()
  const inputs: LlamaInputs = { tokens: graph.input('tokens', [extent.rows * extent.length], 'int64'), ...placeInputs(graph, extent) }
  const weight = options.weight?.(graph) ?? ((name, wanted) => graph.constant(base.tensor(name), wanted))
  const context: LayerContext = {
    ...{ graph, shape, extent, inputs, weight, lora: options.lora, adapter: new Map() },
    turning: rotaryTables(graph, shape, extent.length),
  }
  const embedding = weight('token_embd.weight', [shape.vocabulary, shape.width])
  let state = gatherRows(graph, embedding, inputs.tokens)
  for (let layer = 0; layer < shape.layers; layer++) state = decoderLayer(context, layer, state, layer === shape.layers - 1 ? 'reads' : 'all')
  const hidden = rmsNorm(graph, state, weight('output_norm.weight', [shape.width]), shape.epsilon)
  const matrix = headRows(context, base, embedding, options.vocabulary)
  return { graph, inputs, adapter: context.adapter, hidden, matrix, logits: linear(graph, hidden, matrix) }
}

/** The inputs that say where tokens stand, who may look at whom, and where the model is read. */
export function placeInputs(graph: Graph, { rows, length, reads }: Extent): LayerContext['inputs'] {
  return {
    positions: graph.input('positions', [rows, length], 'int64'),
    mask: graph.input('mask', [rows, 1, length, length]),
    readPlaces: graph.input('readPlaces', [rows * reads], 'int64'),
    readPositions: graph.input('readPositions', [rows, reads], 'int64'),
    readMask: graph.input('readMask', [rows, 1, reads, length]),
  }
}

/**
 * Tables of the cosine and sine of each position's angles, [length, head width / 2]. Pair i of position p turns by
 * p / base^(2i / head width), divided by the linear scale and by the pair's own factor where the shape has them.
 */
export function rotaryTables(graph: Graph, shape: LlamaShape, length: number): LayerContext['turning'] {
  const half = shape.headWidth / 2
  const { ropeBase, ropeScale = 1, frequencyFactors } = shape
  const speeds = Array.from({ length: half }, (_, pair) => 1 / (ropeScale * (frequencyFactors?.[pair] ?? 1) * ropeBase ** (pair / half)))
  const table = (value: (angle: number) => number) =>
    graph.constant(
      Float32Array.from({ length: length * half }, (_, index) => value(Math.floor(index / half) * speeds[index % half]!)),
      [length, half],
    )
  return { cosine: table(Math.cos), sine: table(Math.sin), negativeSine: table((angle) => -Math.sin(angle)), form: shape.rotary }
}

/**
 * One layer: state [rows * length, width] to the next state, of the same shape, or with `at` "reads" only of the read
 * places, [rows * reads, width]: keys and values come from every token all the same.
 */
export function decoderLayer(context: LayerContext, layer: number, state: Tensor, at: 'all' | 'reads'): Tensor {
  const { graph, shape, extent, inputs } = context
  const { rows, length, reads } = extent
  const norm = (stem: string, x: Tensor) => rmsNorm(graph, x, context.weight(`blk.${layer}.${stem}.weight`, [shape.width]), shape.epsilon)
  const project = (stem: string, x: Tensor) => projection(context, `blk.${layer}.${stem}.weight`, stem, x)
  /** [rows * n, heads * width] to [rows, heads, n, width]. */
  const heads = (x: Tensor, count: number, n: number) => transpose(graph, reshape(graph, x, [rows, n, count, shape.headWidth]), [0, 2, 1, 3])
  const rotate = (x: Tensor, positions: Tensor) => rotary(graph, x, { ...context.turning, positions })
  const product = (tensor: Tensor) => {
    context.product?.(tensor)
    return tensor
  }
  /** Each head of queries or keys normalised by itself, where the architecture does so. */
  const normHeads = (stem: string, x: Tensor) => {
    if (!shape.headNorms) return x
    const gain = context.weight(`blk.${layer}.${stem}.weight`, [shape.headWidth])
    return reshape(graph, rmsNorm(graph, reshape(graph, product(x), [size(x.shape) / shape.headWidth, shape.headWidth]), gain, shape.epsilon), x.shape)
  }

  const normal = norm('attn_norm', state)
  const key = product(rotate(heads(normHeads('attn_k_norm', project('attn_k', normal)), shape.groups, length), inputs.positions))
  const value = product(heads(project('attn_v', normal), shape.groups, length))
  const last = at === 'reads'
  const n = last ? reads : length
  const asking = last ? gatherRows(graph, normal, inputs.readPlaces) : normal
  const before = last ? gatherRows(graph, state, inputs.readPlaces) : state
  const query = product(rotate(heads(normHeads('attn_q_norm', project('attn_q', asking)), shape.heads, n), last ? inputs.readPositions : inputs.positions))
  const mixed = product(attention(graph, query, key, value, last ? inputs.readMask : inputs.mask))
  const joined = reshape(graph, transpose(graph, mixed, [0, 2, 1, 3]), [rows * n, shape.heads * shape.headWidth])
  const middle = product(add(graph, before, project('attn_output', joined)))
  const inner = norm('ffn_norm', middle)
  const gated = swiglu(graph, product(project('ffn_gate', inner)), product(project('ffn_up', inner)))
  return add(graph, middle, project('ffn_down', gated))
}

/** x W^T, with a trainable pair on W when its stem is a target, plus the bias where there is one. */
function projection({ graph, shape, weight, lora, adapter }: LayerContext, name: string, stem: string, x: Tensor): Tensor {
  const [outputs, width] = matrixShape(shape, stem)
  const matrix = weight(name, [outputs, width])
  const biased = (y: Tensor) => (shape.biases?.includes(stem) ? addBias(graph, y, weight(name.replace(/weight$/, 'bias'), [outputs])) : y)
  if (!lora?.targets.includes(stem)) return biased(linear(graph, x, matrix))
  const pair = {
    down: graph.parameter(`${name}.lora_a`, [lora.rank, width]),
    up: graph.parameter(`${name}.lora_b`, [outputs, lora.rank]),
    scale: lora.alpha / lora.rank,
  }
  adapter.set(name, pair)
  return biased(adaptedLinear(graph, x, matrix, pair))
}

/** The rows of the output matrix that logits are wanted for. Without a matrix of its own the embedding serves (tied). */
function headRows({ graph, weight }: LayerContext, base: Llama, embedding: Tensor, vocabulary: readonly number[] | undefined): Tensor {
  const { width, vocabulary: count, tied } = base.shape
  const matrix = tied ? embedding : weight('output.weight', [count, width])
  if (!vocabulary) return matrix
  for (const token of vocabulary)
    if (!Number.isInteger(token) || token < 0 || token >= count) throw new RangeError(`Token ${token} is not in a vocabulary of ${count}.`)
  return gatherRows(graph, matrix, graph.integers(vocabulary))
}
