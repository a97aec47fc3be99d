/**
 * Random model: writes GGUF files of any shape and tensor type we read, with random weights and a small tokeniser that
 * works, so that any program that opens GGUF opens them. For trying shapes, memory and speed without downloading a model.
 * One tensor is written at a time, so a file may be larger than memory. Knows nothing of what is done with them.
 */
import { closeSync, openSync, writeSync } from 'node:fs'
import { type LlamaShape, modelTensors } from './architecture.ts'
import { TENSOR_TYPES, type TensorType } from './dequantise.ts'
import { halfBits } from './quantise.ts'

export type RandomModel = {
  architecture: 'llama' | 'qwen2' | 'qwen3'
  width: number
  layers: number
  heads: number
  groups: number
  feedForward: number
  /** Default: width / heads. */
  headWidth?: number
  /** Tokens; those beyond the tokeniser's own are never produced. Default: only the tokeniser's own. */
  vocabulary?: number
  tied?: boolean
  /** Default: none, and for qwen2 those of q, k and v. */
  biases?: readonly string[]
  contextLength?: number
  ropeBase?: number
  /** Written as linear scaling. */
  ropeScale?: number
  /** Written as `rope_freqs.weight`, one a pair of coordinates. */
  frequencyFactors?: readonly number[]
  window?: number
  /** Types of the layers' matrices (default F32), of the embedding and of the output matrix (default: as the matrices). */
  type?: TensorType
  embeddingType?: TensorType
  outputType?: TensorType
  /** `bytes`: byte-level pairs as GPT-2 and its heirs have; `pieces`: SentencePiece as Llama 2 has. Default: bytes. */
  tokenizer?: 'bytes' | 'pieces'
  /** Tokens that open and close a text, by default `<|begin_of_text|>` and `<|endoftext|>`, with pieces `<s>` and `</s>`. */
  markers?: { begin: string; end: string }
  /** Further control tokens. */
  control?: readonly string[]
  /** Whether the file asks for the opening token before every text. Default: yes with pieces. */
  beginAlways?: boolean
  /** Further metadata; numbers are written as 32-bit unsigned integers. */
  metadata?: Readonly<Record<string, string | number>>
  seed?: number
}

/** Numbers by which GGUF's directory names the types. */
const TYPE_IDS: Record<TensorType, number> = {
  ...{ F32: 0, F16: 1, Q4_0: 2, Q4_1: 3, Q5_0: 6, Q5_1: 7, Q8_0: 8, Q4_K: 12, Q5_K: 13, Q6_K: 14, BF16: 30 },
}
const ALIGNMENT = 32
const STRETCH = 1 << 20

/** The shape that {@link llamaOf} finds in the file. */
export function shapeOf(model: RandomModel): LlamaShape {
  const { architecture, width, layers, heads, groups, feedForward } = model
  return {
    ...{ architecture, width, layers, heads, groups, feedForward },
    rotary: architecture === 'llama' ? 'interleaved' : 'half-split',
    headWidth: model.headWidth ?? width / heads,
    vocabulary: Math.max(model.vocabulary ?? 0, vocabularyOf(model).tokens.length),
    // As the file's 32-bit numbers hold them.
    epsilon: Math.fround(architecture === 'llama' ? 1e-5 : 1e-6),
    ropeBase: Math.fround(model.ropeBase ?? 10_000),
    tied: model.tied ?? false,
    biases: model.biases ?? (architecture === 'qwen2' ? ['attn_q', 'attn_k', 'attn_v'] : []),
    headNorms: architecture === 'qwen3',
    ropeScale: Math.fround(model.ropeScale ?? 1),
    ...(model.frequencyFactors ? { frequencyFactors: Float32Array.from(model.frequencyFactors) } : {}),
    ...(model.window ? { window: model.window } : {}),
  }
}

/** Writes the file. Its bytes depend on the settings only. */
export function writeRandomModel(path: string, model: RandomModel): void {
  const shape = shapeOf(model)
  const tensors = modelTensors(shape)
  if (shape.frequencyFactors) tensors.set('rope_freqs.weight', [shape.headWidth / 2])
  const header = new Header()
  const settings = metadataOf(model, shape)
  header.bytes(new TextEncoder().encode('GGUF')).u32(3).u64(tensors.size).u64(settings.length)
  for (const [key, value] of settings) header.entry(key, value)
  const plan: { name: string; extent: number[]; type: TensorType; bytes: number }[] = []
  let offset = 0
  for (const [name, extent] of tensors) {
    const type = typeWithin(model, name, extent)
    const block = TENSOR_TYPES[type]
    if (extent.at(-1)! % block.elements) throw new RangeError(`Rows of ${extent.at(-1)} values are not whole blocks of ${type}.`)
    const bytes = (extent.reduce((product, length) => product * length, 1) / block.elements) * block.bytes
    header.string(name).u32(extent.length)
    for (const length of extent.toReversed()) header.u64(length)
    header.u32(TYPE_IDS[type]).u64(offset)
    plan.push({ name, extent, type, bytes })
    offset += Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
  }
  const file = openSync(path, 'w')
  try {
    let position = 0
    const put = (bytes: Uint8Array) => {
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
      position += bytes.length
    }
    const align = () => put(new Uint8Array(Math.ceil(position / ALIGNMENT) * ALIGNMENT - position))
    put(header.joined())
    align()
    const next = words((model.seed ?? 1) * 2_654_435_761 + 1)
    for (const { name, extent, type, bytes } of plan) {
      if (name === 'rope_freqs.weight') put(new Uint8Array(shape.frequencyFactors!.slice().buffer))
      else {
        const { bytes: block, elements } = TENSOR_TYPES[type]
        const stretch = Math.max(1, Math.floor(STRETCH / elements))
        const [centre, spread] = distribution(name, extent)
        for (let left = bytes / block; left > 0; left -= stretch) put(randomBlocks(type, Math.min(left, stretch), centre, spread, next))
      }
      align()
    }
  } finally {
    closeSync(file)
  }
}

function typeWithin(model: RandomModel, name: string, extent: readonly number[]): TensorType {
  if (extent.length < 2) return 'F32'
  const type = model.type ?? 'F32'
  return name === 'token_embd.weight' ? (model.embeddingType ?? type) : name === 'output.weight' ? (model.outputType ?? type) : type
}

/** Centre and standard deviation of a tensor's values: chosen so that every part of the model changes the logits by much. */
function distribution(name: string, extent: readonly number[]): [centre: number, spread: number] {
  if (name.endsWith('norm.weight')) return [1, 0.3]
  if (name.endsWith('.bias')) return [0, 0.5]
  if (!name.startsWith('blk.')) return [0, 2 / Math.sqrt(extent[1]!)]
  return [0, (/attn_[qk]/.test(name) ? 1.5 : 1) / Math.sqrt(extent[1]!)]
}

/** Levels of a block are drawn at random; its scales are set so that the values have about the wanted spread. */
function randomBlocks(type: TensorType, blocks: number, centre: number, spread: number, next: (count: number) => Uint32Array): Uint8Array {
  const { bytes: size, elements } = TENSOR_TYPES[type]
  if (elements === 1) {
    const drawn = next(blocks)
    const values = Float32Array.from(drawn, (word) => centre + (word / 2 ** 31 - 1) * Math.sqrt(3) * spread)
    if (type === 'F32') return new Uint8Array(values.buffer)
    const bits = new Uint32Array(values.buffer)
    return new Uint8Array(Uint16Array.from(values, (value, index) => (type === 'BF16' ? bits[index]! >>> 16 : halfBits(value))).buffer)
  }
  const bytes = new Uint8Array(next(Math.ceil((blocks * size) / 4)).buffer, 0, blocks * size)
  const put = (at: number, value: number) => {
    const bits = halfBits(value)
    bytes[at] = bits & 255
    bytes[at + 1] = bits >> 8
  }
  // Standard deviation of levels drawn from 0 to 2^bits - 1, of six-bit scales about zero, and of signed bytes.
  const levels = (bits: number) => Math.sqrt((4 ** bits - 1) / 12)
  for (let block = 0; block < blocks; block++) {
    const at = block * size
    if (type === 'Q8_0') put(at, spread / levels(8))
    else if (type === 'Q4_0' || type === 'Q5_0') put(at, spread / levels(type === 'Q4_0' ? 4 : 5))
    else if (type === 'Q4_1' || type === 'Q5_1') {
      const bits = type === 'Q4_1' ? 4 : 5
      put(at, spread / levels(bits))
      put(at + 2, (-spread / levels(bits)) * ((2 ** bits - 1) / 2))
    } else if (type === 'Q6_K') put(at + 208, spread / (levels(6) * levels(8)))
    else {
      // Each part's minimum is given its scale's six bits, so that the values lie about zero.
      const bits = type === 'Q4_K' ? 4 : 5
      const scale = spread / (levels(bits) * 37)
      put(at, scale)
      put(at + 2, scale * ((2 ** bits - 1) / 2))
      for (let part = 0; part < 4; part++) {
        bytes[at + 8 + part] = bytes[at + 4 + part]!
        bytes[at + 12 + part] = (bytes[at + 12 + part]! & 15) * 17
      }
    }
  }
  return bytes
}

/** Marsaglia's xorshift (2003), a stretch at a time: fast enough for gigabytes. */
function words(seed: number): (count: number) => Uint32Array {
  let state = seed >>> 0 || 1
  return (count) => {
    const drawn = new Uint32Array(count)
    for (let index = 0; index < count; index++) {
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      drawn[index] = state
    }
    return drawn
  }
}

type Value = string | boolean | { u32: number } | { f32: number } | { strings: readonly string[] } | { i32s: readonly number[] } | { f32s: readonly number[] }

function metadataOf(model: RandomModel, shape: LlamaShape): [string, Value][] {
  const { architecture } = shape
  const { tokens, types, scores, merges } = vocabularyOf(model)
  for (let index = tokens.length; index < shape.vocabulary; index++) {
    tokens.push(`[unused${index}]`)
    types.push(UNUSED)
    scores.push(-1e6)
  }
  const { begin, end } = markersOf(model)
  const pieces = model.tokenizer === 'pieces'
  const of = (key: string, value: Value): [string, Value] => [`${architecture}.${key}`, value]
  return [
    ['general.architecture', architecture],
    ['general.name', 'random'],
    of('block_count', { u32: shape.layers }),
    of('context_length', { u32: model.contextLength ?? 512 }),
    of('embedding_length', { u32: shape.width }),
    of('feed_forward_length', { u32: shape.feedForward }),
    of('attention.head_count', { u32: shape.heads }),
    of('attention.head_count_kv', { u32: shape.groups }),
    of('attention.key_length', { u32: shape.headWidth }),
    of('attention.value_length', { u32: shape.headWidth }),
    of('attention.layer_norm_rms_epsilon', { f32: shape.epsilon }),
    of('rope.freq_base', { f32: shape.ropeBase }),
    of('rope.dimension_count', { u32: shape.headWidth }),
    of('vocab_size', { u32: shape.vocabulary }),
    ...(model.ropeScale ? [of('rope.scaling.type', 'linear'), of('rope.scaling.factor', { f32: model.ropeScale })] : []),
    ...(model.window ? [of('attention.sliding_window', { u32: model.window })] : []),
    ['tokenizer.ggml.model', pieces ? 'llama' : 'gpt2'],
    ...(pieces ? ([['tokenizer.ggml.scores', { f32s: scores }]] as [string, Value][]) : []),
    ...(pieces
      ? []
      : ([
          ['tokenizer.ggml.pre', architecture === 'llama' ? 'smollm' : 'qwen2'],
          ['tokenizer.ggml.merges', { strings: merges }],
        ] as [string, Value][])),
    ['tokenizer.ggml.tokens', { strings: tokens }],
    ['tokenizer.ggml.token_type', { i32s: types }],
    ['tokenizer.ggml.bos_token_id', { u32: tokens.indexOf(begin) }],
    ['tokenizer.ggml.eos_token_id', { u32: tokens.indexOf(end) }],
    ['tokenizer.ggml.add_bos_token', model.beginAlways ?? pieces],
    ...Object.entries(model.metadata ?? {}).map(([key, value]): [string, Value] => [key, typeof value === 'string' ? value : { u32: value }]),
  ]
}

const NORMAL = 1
const UNKNOWN = 2
const CONTROL = 3
const UNUSED = 5
const BYTE = 6

function markersOf({ tokenizer, markers }: RandomModel): { begin: string; end: string } {
  return markers ?? (tokenizer === 'pieces' ? { begin: '<s>', end: '</s>' } : { begin: '<|begin_of_text|>', end: '<|endoftext|>' })
}

/** Pairs that are joined, most urgent first: a few, so that words are more than one token and text is shorter than its bytes. */
const PAIRS = ['Ġ t', 'h e', 'Ġ a', 'i n', 'r e', 'o n', 'Ġt he', 'e r', 'a t', 'Ġ s', 'Ġ c', 'n d', 'Ġ o', 'e s', 'o r', 'i s', 'in g', 'Ġ A', 'Ġ B']

function vocabularyOf(model: RandomModel): { tokens: string[]; types: number[]; scores: number[]; merges: string[] } {
  const { begin, end } = markersOf(model)
  const control = [...new Set([begin, end, ...(model.control ?? [])])]
  const found = { tokens: [] as string[], types: [] as number[], scores: [] as number[], merges: [] as string[] }
  const add = (token: string, type: number, score = 0) => {
    found.tokens.push(token)
    found.types.push(type)
    found.scores.push(score)
  }
  if (model.tokenizer === 'pieces') {
    add('<unk>', UNKNOWN)
    for (const token of control) add(token, CONTROL)
    for (let byte = 0; byte < 256; byte++) add(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, BYTE)
    const joined = PAIRS.map((pair) => pair.replace(' ', '').replace('Ġ', '▁'))
    const letters = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index))
    for (const [index, piece] of [...joined, '▁', ...letters, ...letters.map((letter) => `▁${letter}`)].entries())
      if (!found.tokens.includes(piece)) add(piece, NORMAL, -index)
    return found
  }
  for (const character of byteCharacters()) add(character, NORMAL)
  for (const pair of PAIRS) add(pair.replace(' ', ''), NORMAL)
  for (const token of control) add(token, CONTROL)
  return { ...found, merges: PAIRS }
}

/** GPT-2's printable stand-in for each byte (Radford et al. 2019): itself where it is printable, else a letter from 256 on. */
function byteCharacters(): string[] {
  let further = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCharCode(printable ? byte : further++)
  })
}

/** The bytes before the tensors, in the making. */
class Header {
  readonly #parts: Uint8Array[] = []

  bytes(bytes: Uint8Array): this {
    this.#parts.push(bytes)
    return this
  }

  u32(value: number): this {
    return this.bytes(new Uint8Array(Uint32Array.of(value).buffer))
  }

  u64(value: number): this {
    return this.bytes(new Uint8Array(BigUint64Array.of(BigInt(value)).buffer))
  }

  string(text: string): this {
    const bytes = new TextEncoder().encode(text)
    return this.u64(bytes.length).bytes(bytes)
  }

  entry(key: string, value: Value): this {
    this.string(key)
    if (typeof value === 'string') return this.u32(8).string(value)
    if (typeof value === 'boolean') return this.u32(7).bytes(Uint8Array.of(value ? 1 : 0))
    if ('u32' in value) return this.u32(4).u32(value.u32)
    if ('f32' in value) return this.u32(6).bytes(new Uint8Array(Float32Array.of(value.f32).buffer))
    this.u32(9)
    if ('i32s' in value)
      return this.u32(5)
        .u64(value.i32s.length)
        .bytes(new Uint8Array(Int32Array.from(value.i32s).buffer))
    if ('f32s' in value)
      return this.u32(6)
        .u64(value.f32s.length)
        .bytes(new Uint8Array(Float32Array.from(value.f32s).buffer))
    this.u32(8).u64(value.strings.length)
    for (const text of value.strings) this.string(text)
    return this
  }

  joined(): Uint8Array {
    const bytes = new Uint8Array(this.#parts.reduce((total, { length }) => total + length, 0))
    let at = 0
    for (const part of this.#parts) {
      bytes.set(part, at)
      at += part.length
    }
    return bytes
  }
}
