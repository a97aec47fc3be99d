/**
 * Llama: a decoder of the Llama family (Touvron et al. 2023) from a GGUF file, as a graph: RMSNorm, rotary positions,
 * grouped-query attention, SwiGLU. The last layer is computed only where the model is read. Knows nothing of training.
 */
import { FormatError, type Gguf, openGguf } from './gguf.ts'
import { Graph, type Tensor } from './graph.ts'
import { adaptedLinear, type LoraPair } from './lora.ts'
import { add, attention, gatherRows, linear, reshape, rmsNorm, rotary, swiglu, transpose } from './ops.ts'

/** How each architecture pairs the coordinates that rotary positions turn. What is not listed is refused by name. */
const ARCHITECTURES: Record<string, { rotary: 'interleaved' | 'half-split' }> = { llama: { rotary: 'interleaved' } }

export type LlamaShape = {
  architecture: string
  rotary: 'interleaved' | 'half-split'
  width: number
  layers: number
  heads: number
  groups: number
  headWidth: number
  feedForward: number
  vocabulary: number
  epsilon: number
  ropeBase: number
}

/** A base model on disk: its shape, and its tensors when they are asked for. */
export type Llama = { shape: LlamaShape; tensor(name: string): Float32Array }

const LAYER_TENSORS = ['attn_norm', 'attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_norm', 'ffn_gate', 'ffn_up', 'ffn_down']

/** Opens a base. @throws {FormatError} naming the architecture, setting or tensor that is not supported. */
export function openLlama(path: string): Llama {
  return llamaOf(openGguf(path))
}

export function llamaOf(gguf: Gguf): Llama {
  const { metadata, tensors } = gguf
  const architecture = String(metadata.get('general.architecture') ?? 'none')
  const known = ARCHITECTURES[architecture]
  if (!known) throw new FormatError(`its architecture is "${architecture}"; trained are ${Object.keys(ARCHITECTURES).join(', ')}`)
  const number = (key: string, fallback?: number): number => {
    const value = metadata.get(`${architecture}.${key}`) ?? fallback
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) throw new FormatError(`its setting ${architecture}.${key} is ${String(value)}`)
    return value
  }
  const embedding = tensors.get('token_embd.weight')
  if (embedding?.shape.length !== 2) throw new FormatError('it has no matrix "token_embd.weight"')
  const heads = number('attention.head_count')
  const width = number('embedding_length')
  const shape: LlamaShape = {
    architecture,
    rotary: known.rotary,
    width,
    layers: number('block_count'),
    heads,
    groups: number('attention.head_count_kv', heads),
    headWidth: number('attention.key_length', width / heads),
    feedForward: number('feed_forward_length'),
    vocabulary: embedding.shape[0]!,
    epsilon: number('attention.layer_norm_rms_epsilon'),
    ropeBase: number('rope.freq_base', 10_000),
  }
  if (shape.heads % shape.groups) throw new FormatError(`its ${shape.heads} heads do not divide into ${shape.groups} groups`)
  if (number('rope.dimension_count', shape.headWidth) !== shape.headWidth || shape.headWidth % 2)
    throw new FormatError(
      `it turns ${String(metadata.get(`${architecture}.rope.dimension_count`))} of ${shape.headWidth} head coordinates, which is not supported`,
    )
  const scaling = metadata.get(`${architecture}.rope.scaling.type`)
  if (scaling !== undefined && scaling !== 'none') throw new FormatError(`its rope scaling "${String(scaling)}" is not supported`)

  const expected = new Map<string, number[]>([
    ['token_embd.weight', [shape.vocabulary, width]],
    ['output_norm.weight', [width]],
  ])
  for (let layer = 0; layer < shape.layers; layer++)
    for (const stem of LAYER_TENSORS) expected.set(`blk.${layer}.${stem}.weight`, stem.endsWith('norm') ? [width] : matrixShape(shape, stem))
  if (tensors.has('output.weight')) expected.set('output.weight', [shape.vocabulary, width])
  for (const [name, wanted] of expected) {
    const found = tensors.get(name)
    if (found?.shape.join() !== wanted.join())
      throw new FormatError(`tensor "${name}" is ${found?.shape.join(' x ') ?? 'absent'} instead of ${wanted.join(' x ')}`)
  }
  for (const name of tensors.keys()) if (!expected.has(name)) throw new FormatError(`its tensor "${name}" is not part of a model we can train`)
  return { shape, tensor: (name) => gguf.tensor(name === 'output.weight' && !tensors.has(name) ? 'token_embd.weight' : name) }
}

/** [out, in] of a layer's matrix. @throws {FormatError} for a stem no layer has. */
export function matrixShape(shape: LlamaShape, stem: string): [number, number] {
  const { width, heads, groups, headWidth, feedForward } = shape
  switch (stem) {
    case 'attn_q':
      return [heads * headWidth, width]
    case 'attn_k':
    case 'attn_v':
      return [groups * headWidth, width]
    case 'attn_output':
      return [width, heads * headWidth]
    case 'ffn_gate':
    case 'ffn_up':
      return [feedForward, width]
    case 'ffn_down':
      return [width, feedForward]
    default:
      throw new FormatError(`no layer has a matrix "${stem}" to adapt`)
  }
}

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

export type LlamaGraph = { graph: Graph; inputs: LlamaInputs; adapter: Map<string, LoraPair>; logits: Tensor }

/**
 * The model as a graph. `logits` is [rows * reads, head rows]: the next-token logits at the read places over the rows of the
 * output matrix in `vocabulary`, or over all of them. `lora` adds a trainable pair, named by tensor, to each target.
 */
export function buildLlama(
  base: Llama,
  extent: Extent,
  options: { vocabulary?: readonly number[] | undefined; lora?: { rank: number; alpha: number; targets: readonly string[] } | undefined } = {},
): LlamaGraph {
  const { shape } = base
  const { rows, length, reads } = extent
  const graph = new Graph()
  const inputs: LlamaInputs = {
    tokens: graph.input('tokens', [rows * length], 'int64'),
    positions: graph.input('positions', [rows, length], 'int64'),
    mask: graph.input('mask', [rows, 1, length, length]),
    readPlaces: graph.input('readPlaces', [rows * reads], 'int64'),
    readPositions: graph.input('readPositions', [rows, reads], 'int64'),
    readMask: graph.input('readMask', [rows, 1, reads, length]),
  }
  const angles = Array.from({ length: length * (shape.headWidth / 2) }, (_, index) => {
    const half = shape.headWidth / 2
    return Math.floor(index / half) / shape.ropeBase ** ((index % half) / half)
  })
  const table = (value: (angle: number) => number) => graph.constant(Float32Array.from(angles, value), [length, shape.headWidth / 2])
  const turning = { cosine: table(Math.cos), sine: table(Math.sin), negativeSine: table((angle) => -Math.sin(angle)), form: shape.rotary }
  const norm = (name: string, x: Tensor) => rmsNorm(graph, x, graph.constant(base.tensor(name), [shape.width]), shape.epsilon)

  const adapter = new Map<string, LoraPair>()
  const project = (layer: number, stem: string, x: Tensor): Tensor => {
    const name = `blk.${layer}.${stem}.weight`
    const [outputs, width] = matrixShape(shape, stem)
    const weight = graph.constant(base.tensor(name), [outputs, width])
    const { lora } = options
    if (!lora?.targets.includes(stem)) return linear(graph, x, weight)
    const pair = {
      down: graph.parameter(`${name}.lora_a`, [lora.rank, width]),
      up: graph.parameter(`${name}.lora_b`, [outputs, lora.rank]),
      scale: lora.alpha / lora.rank,
    }
    adapter.set(name, pair)
    return adaptedLinear(graph, x, weight, pair)
  }
  /** [rows * n, heads * width] to [rows, heads, n, width]. */
  const heads = (x: Tensor, count: number, n: number) => transpose(graph, reshape(graph, x, [rows, n, count, shape.headWidth]), [0, 2, 1, 3])
  const rotate = (x: Tensor, positions: Tensor) => rotary(graph, x, { ...turning, positions })

  const embedding = graph.constant(base.tensor('token_embd.weight'), [shape.vocabulary, shape.width])
  let state = gatherRows(graph, embedding, inputs.tokens)
  for (let layer = 0; layer < shape.layers; layer++) {
    const last = layer === shape.layers - 1
    const normal = norm(`blk.${layer}.attn_norm.weight`, state)
    const key = rotate(heads(project(layer, 'attn_k', normal), shape.groups, length), inputs.positions)
    const value = heads(project(layer, 'attn_v', normal), shape.groups, length)
    const n = last ? reads : length
    const asking = last ? gatherRows(graph, normal, inputs.readPlaces) : normal
    if (last) state = gatherRows(graph, state, inputs.readPlaces)
    const query = rotate(heads(project(layer, 'attn_q', asking), shape.heads, n), last ? inputs.readPositions : inputs.positions)
    const mixed = attention(graph, query, key, value, last ? inputs.readMask : inputs.mask)
    const joined = reshape(graph, transpose(graph, mixed, [0, 2, 1, 3]), [rows * n, shape.heads * shape.headWidth])
    state = add(graph, state, project(layer, 'attn_output', joined))
    const inner = norm(`blk.${layer}.ffn_norm.weight`, state)
    const gated = swiglu(graph, project(layer, 'ffn_gate', inner), project(layer, 'ffn_up', inner))
    state = add(graph, state, project(layer, 'ffn_down', gated))
  }
  const final = norm('output_norm.weight', state)
  return { graph, inputs, adapter, logits: linear(graph, final, headRows(graph, base, options.vocabulary)) }
}

/** The rows of the output matrix that logits are wanted for. */
function headRows(graph: Graph, base: Llama, vocabulary: readonly number[] | undefined): Tensor {
  const { width, vocabulary: size } = base.shape
  const matrix = base.tensor('output.weight')
  if (!vocabulary) return graph.constant(matrix, [size, width])
  const rows = new Float32Array(vocabulary.length * width)
  for (const [index, token] of vocabulary.entries()) {
    if (!Number.isInteger(token) || token < 0 || token >= size) throw new RangeError(`Token ${token} is not in a vocabulary of ${size}.`)
    rows.set(matrix.subarray(token * width, (token + 1) * width), index * width)
  }
  return graph.constant(rows, [vocabulary.length, width])
}
