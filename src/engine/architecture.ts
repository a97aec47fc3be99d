/**
 * Architecture: what a GGUF file says of a decoder of the Llama family (Touvron et al. 2023): its shape, its tensors, and
 * whether we can train it. Knows nothing of graphs or training.
 */
import { FormatError, type Gguf, openGguf } from './gguf.ts'

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
  /** The output matrix is the embedding. */
  tied: boolean
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
    tied: !tensors.has('output.weight'),
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
  return { shape, tensor: (name) => gguf.tensor(name === 'output.weight' && shape.tied ? 'token_embd.weight' : name) }
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
