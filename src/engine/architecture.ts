/**
 * Architecture: what a GGUF file says of a decoder of the Llama family (Touvron et al. 2023) or of Qwen2 and Qwen3, which are
 * variants of it: its shape, its tensors, and whether we can train it. Where a file leaves a choice, llama.cpp's is taken,
 * because llama.cpp serves what is trained here. Knows nothing of graphs or training.
 */
import { TENSOR_TYPES, type TensorType } from './dequantise.ts'
import { FormatError, type Gguf, isReadable, openGguf } from './gguf.ts'

/** What tells the architectures apart. What is not listed is refused by name. */
const ARCHITECTURES: Record<string, { rotary: LlamaShape['rotary']; headNorms: boolean; biases: readonly string[]; frequencyFactors: boolean }> = {
  // Llama 2 and 3, SmolLM2, TinyLlama, Mistral. The converter reorders the rows of q and k, so that pairs are neighbours.
  llama: {
    ...{ rotary: 'interleaved', headNorms: false, frequencyFactors: true },
    biases: ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'],
  },
  // Qwen2, Qwen2.5.
  qwen2: { rotary: 'half-split', headNorms: false, frequencyFactors: false, biases: ['attn_q', 'attn_k', 'attn_v'] },
  qwen3: { rotary: 'half-split', headNorms: true, frequencyFactors: false, biases: [] },
}

export type LlamaShape = {
  architecture: string
  /** How the coordinates that rotary positions turn are paired: (2i, 2i + 1) or (i, i + width / 2). */
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
  /** The output matrix is the embedding. */
  tied: boolean
  /** Stems of the matrices that have a bias, in every layer. Absent: none. */
  biases?: readonly string[]
  /** Queries and keys are normalised head by head before they are turned (Qwen3). Absent: no. */
  headNorms?: boolean
  /** Positions are divided by this (linear scaling, Chen et al. 2023). Absent: 1. */
  ropeScale?: number
  /** Each pair's angle is divided by its factor: Llama 3's scaling, which GGUF keeps as the tensor `rope_freqs.weight`. Absent: 1. */
  frequencyFactors?: Float32Array
  /**
   * The model was trained with tokens that see only this many back (Mistral's sliding window). llama.cpp does not read it for
   * these architectures and lets every token see all; up to this length both are the same, so it bounds the context instead.
   */
  window?: number
}

/** A base model on disk: its shape, and its tensors when they are asked for. */
export type Llama = {
  shape: LlamaShape
  /** The values of a tensor, in `into` or a new array. */
  tensor(name: string, into?: Float32Array): Float32Array
  /** A tensor as the file has it. Absent for models that are in no file. */
  blocks?(name: string): { type: TensorType; bytes: Uint8Array }
}

const MATRICES = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down']
const FREQUENCY_FACTORS = 'rope_freqs.weight'
/** More than any model of these architectures has, and few enough that products of two are exact. */
const MOST = 2 ** 24

/** Opens a base. @throws {FormatError} naming the architecture, setting or tensor that is not supported. */
export function openLlama(path: string): Llama {
  return llamaOf(openGguf(path))
}

export function llamaOf(gguf: Gguf): Llama {
  const { metadata, tensors } = gguf
  const architecture = String(metadata.get('general.architecture') ?? 'none')
  const known = Object.hasOwn(ARCHITECTURES, architecture) ? ARCHITECTURES[architecture] : undefined
  if (!known) throw new FormatError(`its architecture is "${architecture}"; trained are ${Object.keys(ARCHITECTURES).join(', ')}`)
  const number = (key: string, fallback?: number): number => {
    const value = metadata.get(`${architecture}.${key}`) ?? fallback
    if (typeof value !== 'number' || !Number.isFinite(value) || value <= 0) throw new FormatError(`its setting ${architecture}.${key} is ${String(value)}`)
    return value
  }
  const count = (key: string, fallback?: number): number => {
    const value = number(key, fallback)
    if (!Number.isInteger(value) || value > MOST) throw new FormatError(`its setting ${architecture}.${key} is ${value}`)
    return value
  }
  const embedding = tensors.get('token_embd.weight')
  if (embedding?.shape.length !== 2) throw new FormatError('it has no matrix "token_embd.weight"')
  if (metadata.has(`${architecture}.expert_count`) && metadata.get(`${architecture}.expert_count`) !== 0)
    throw new FormatError(`it mixes ${String(metadata.get(`${architecture}.expert_count`))} experts, which is not supported`)
  const heads = count('attention.head_count')
  const width = count('embedding_length')
  const layers = count('block_count')
  if (layers * MATRICES.length > tensors.size) throw new FormatError(`it claims ${layers} layers, but has only ${tensors.size} tensors`)
  const headWidth = count('attention.key_length', width / heads)
  const windowed = metadata.get(`${architecture}.attention.sliding_window`)
  const shape: LlamaShape = {
    ...{ architecture, rotary: known.rotary, width, layers, heads, headWidth },
    groups: count('attention.head_count_kv', heads),
    feedForward: count('feed_forward_length'),
    vocabulary: embedding.shape[0]!,
    epsilon: number('attention.layer_norm_rms_epsilon'),
    ropeBase: number('rope.freq_base', 10_000),
    tied: !tensors.has('output.weight'),
    biases: known.biases.filter((stem) => tensors.has(`blk.0.${stem}.bias`)),
    headNorms: known.headNorms,
    ropeScale: ropeScale(metadata, architecture),
    ...(windowed === undefined || windowed === 0 ? {} : { window: count('attention.sliding_window') }),
  }
  if (shape.heads % shape.groups) throw new FormatError(`its ${shape.heads} heads do not divide into ${shape.groups} groups`)
  if (count('attention.value_length', headWidth) !== headWidth)
    throw new FormatError(`its values are ${count('attention.value_length')} wide and its keys ${headWidth}, which is not supported`)
  if (count('rope.dimension_count', headWidth) !== headWidth || headWidth % 2)
    throw new FormatError(`it turns ${count('rope.dimension_count', headWidth)} of ${headWidth} head coordinates, which is not supported`)

  const expected = modelTensors(shape)
  if (known.frequencyFactors && tensors.has(FREQUENCY_FACTORS)) expected.set(FREQUENCY_FACTORS, [headWidth / 2])
  for (const [name, wanted] of expected) {
    const found = tensors.get(name)
    if (found?.shape.join() !== wanted.join())
      throw new FormatError(`tensor "${name}" is ${found?.shape.join(' x ') ?? 'absent'} instead of ${wanted.join(' x ')}`)
  }
  for (const { name, type } of tensors.values()) {
    if (!expected.has(name)) throw new FormatError(`its tensor "${name}" is not part of a model we can train`)
    if (!isReadable(type)) throw new FormatError(`tensor "${name}" is ${type}; read are ${Object.keys(TENSOR_TYPES).join(', ')}`)
  }
  if (expected.has(FREQUENCY_FACTORS)) {
    const factors = gguf.tensor(FREQUENCY_FACTORS)
    for (const factor of factors) if (!(factor > 0 && Number.isFinite(factor))) throw new FormatError(`its tensor "${FREQUENCY_FACTORS}" holds a ${factor}`)
    shape.frequencyFactors = factors
  }
  const stored = (name: string) => (name === 'output.weight' && shape.tied ? 'token_embd.weight' : name)
  return { shape, tensor: (name, into) => gguf.tensor(stored(name), into), blocks: (name) => gguf.blocks(stored(name)) }
}

/** The factor positions are divided by. @throws {FormatError} for a way of scaling that is more than a factor. */
function ropeScale(metadata: Gguf['metadata'], architecture: string): number {
  // As llama.cpp reads it: without a type the scaling is linear, without a factor there is none, and "none" ignores the factor.
  const type = metadata.get(`${architecture}.rope.scaling.type`) ?? 'linear'
  if (type === 'none') return 1
  if (type !== 'linear')
    throw new FormatError(
      `its rope scaling is "${String(type)}"; supported are none, linear, and Llama 3's (the tensor ${FREQUENCY_FACTORS} in architecture llama)`,
    )
  const factor = metadata.get(`${architecture}.rope.scaling.factor`) ?? metadata.get(`${architecture}.rope.scale_linear`) ?? 0
  if (factor === 0) return 1
  if (typeof factor !== 'number' || !Number.isFinite(factor) || factor < 0)
    throw new FormatError(`its setting ${architecture}.rope.scaling.factor is ${String(factor)}`)
  return factor
}

/** The tensors that training can touch and their shapes, by GGUF name: embedding, layers, final norm, output matrix unless tied. */
export function modelTensors(shape: LlamaShape): Map<string, number[]> {
  const tensors = new Map<string, number[]>([['token_embd.weight', [shape.vocabulary, shape.width]]])
  for (let layer = 0; layer < shape.layers; layer++) for (const [name, extent] of layerTensors(shape, layer)) tensors.set(name, extent)
  tensors.set('output_norm.weight', [shape.width])
  if (!shape.tied) tensors.set('output.weight', [shape.vocabulary, shape.width])
  return tensors
}

/** The tensors of one layer and their shapes, by GGUF name. */
export function layerTensors(shape: LlamaShape, layer: number): Map<string, number[]> {
  const tensors = new Map<string, number[]>()
  for (const stem of ['attn_norm', 'ffn_norm']) tensors.set(`blk.${layer}.${stem}.weight`, [shape.width])
  if (shape.headNorms) for (const stem of ['attn_q_norm', 'attn_k_norm']) tensors.set(`blk.${layer}.${stem}.weight`, [shape.headWidth])
  for (const stem of MATRICES) tensors.set(`blk.${layer}.${stem}.weight`, matrixShape(shape, stem))
  for (const stem of shape.biases ?? []) tensors.set(`blk.${layer}.${stem}.bias`, [matrixShape(shape, stem)[0]])
  return tensors
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
