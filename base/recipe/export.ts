/**
 * Export: trained weights and a tokenizer as a GGUF file of architecture `llama`, which llama.cpp serves and our engine trains on.
 * Knows nothing of how either was made.
 */
import { readFile } from 'node:fs/promises'
import { modelTensors } from '../../src/engine/architecture.ts'
import { writeWhole } from '../../src/engine/checkpoint.ts'
import { type MetadataEntry, typeMetadata, typeWithin, writeGguf } from '../../src/engine/gguf-writer.ts'
import type { QuantisedType } from '../../src/engine/quantise.ts'
import { readSafetensors } from '../../src/engine/safetensors.ts'
import type { BaseConfig } from './config.ts'
import { llamaShape } from './shape.ts'
import { END, END_OF_TEXT, type TokenizerFile } from './tokenizer.ts'

/** GGUF's token types, as llama.cpp's `llama_token_type` numbers them. */
const NORMAL = 1
const CONTROL = 3

export type Weights = ReadonlyMap<string, { shape: readonly number[]; values: Float32Array }>

/**
 * The bytes of the model's file. The rows of label tokens, of which nothing was learned, are made by {@link labelRows}.
 * @throws {Error} naming a tensor that is missing or of another shape, or what of the tokenizer does not fit the configuration.
 */
export function exportModel(config: BaseConfig, tokenizer: TokenizerFile, weights: Weights, type: QuantisedType): Uint8Array {
  const tokens = tokensOf(tokenizer)
  const { vocabulary } = config.shape
  if (tokens.length !== vocabulary) throw new Error(`The tokenizer has ${tokens.length} tokens, but ${config.name} is made for ${vocabulary}.`)
  const tensors = [...modelTensors(llamaShape(config.shape))].map(([name, shape]) => {
    const found = weights.get(name)
    if (found?.shape.join() !== shape.join())
      throw new Error(`The weights have ${name} as ${found?.shape.join(' x ') ?? 'nothing'}, not as ${shape.join(' x ')}.`)
    const values = name === 'token_embd.weight' ? labelRows(found.values, config.shape.width, vocabulary - config.tokenizer.labels) : found.values
    return { name, shape, values, type: typeWithin(type, name, shape) }
  })
  return writeGguf([...metadata(config, tokenizer, tokens), ...typeMetadata(type)], tensors)
}

function metadata(config: BaseConfig, tokenizer: TokenizerFile, tokens: readonly string[]): MetadataEntry[] {
  const { name, shape, licence } = config
  const special = new Set(tokenizer.added_tokens.map(({ id }) => id))
  const longest = Math.max(...config.stages.map(({ length }) => length), config.instruct?.tokens ? config.instruct.length : 0)
  return [
    ['general.architecture', 'llama', 'string'],
    ['general.name', name, 'string'],
    ...(licence ? [['general.license', licence, 'string'] as const] : []),
    ['llama.context_length', shape.contextTokens, 'uint32'],
    ['modelfactory.trained_context', longest, 'uint32'],
    ['llama.embedding_length', shape.width, 'uint32'],
    ['llama.block_count', shape.layers, 'uint32'],
    ['llama.feed_forward_length', shape.feedForward, 'uint32'],
    ['llama.attention.head_count', shape.heads, 'uint32'],
    ['llama.attention.head_count_kv', shape.groups, 'uint32'],
    ['llama.attention.layer_norm_rms_epsilon', shape.epsilon, 'float32'],
    ['llama.rope.freq_base', shape.ropeBase, 'float32'],
    ['llama.rope.dimension_count', shape.width / shape.heads, 'uint32'],
    ['llama.vocab_size', shape.vocabulary, 'uint32'],
    ['tokenizer.ggml.model', 'gpt2', 'string'],
    ['tokenizer.ggml.pre', 'qwen2', 'string'],
    ['tokenizer.ggml.tokens', [...tokens], 'strings'],
    ['tokenizer.ggml.token_type', tokens.map((_, id) => (special.has(id) ? CONTROL : NORMAL)), 'integers'],
    ['tokenizer.ggml.merges', tokenizer.model.merges, 'strings'],
    ['tokenizer.ggml.bos_token_id', tokens.indexOf(END_OF_TEXT), 'uint32'],
    ['tokenizer.ggml.eos_token_id', tokens.indexOf(END), 'uint32'],
    ['tokenizer.ggml.add_bos_token', false, 'boolean'],
  ]
}

/** Tokens by id. @throws {Error} when an id is missing. */
function tokensOf(tokenizer: TokenizerFile): string[] {
  const tokens: string[] = []
  for (const [token, id] of Object.entries(tokenizer.model.vocab)) tokens[id] = token
  for (let id = 0; id < tokens.length; id++) if (tokens[id] === undefined) throw new Error(`The tokenizer has no token of id ${id}.`)
  return tokens
}

/** Bytes that no UTF-8 text has. They are in the vocabulary all the same, and training never meets them. */
const IMPOSSIBLE = [0xc0, 0xc1, ...Array.from({ length: 11 }, (_, index) => 0xf5 + index)]
/** Ids of the bytes begin after the three markers. */
const FIRST_BYTE = 3

/**
 * Length of a label row's own direction, as a share of the trained rows' mean length. Of 256 directions nothing was learned about, the
 * best happens to point along the hidden state: at the whole length labels took 60 % of all probability of xs-v1 (and the greedy choice
 * in 74 % of places), at half of it 2.6 %, at a quarter 0.4 %, where the one fine-tuning on labels that was tried came out lower
 * (docs/decisions/2026-11-25-base-recipe.md).
 */
const OWN_LENGTH = 0.5

/**
 * The embedding with its label rows made: each row's own direction at {@link OWN_LENGTH} of the trained rows' mean length, plus what
 * training gave the rows of impossible bytes in common, which is the way to say "never here". Among labels that sum cancels, in the
 * softmax and in its slopes alike; beside words it keeps the labels quiet.
 */
function labelRows(values: Float32Array, width: number, trained: number): Float32Array {
  const made = values.slice()
  const row = (index: number) => made.subarray(index * width, (index + 1) * width)
  const length = (index: number) => Math.sqrt(row(index).reduce((sum, value) => sum + value * value, 0))
  let mean = 0
  for (let index = 0; index < trained; index++) mean += length(index) / trained
  const never = new Float64Array(width)
  for (const byte of IMPOSSIBLE) for (const [at, value] of row(FIRST_BYTE + byte).entries()) never[at]! += value / IMPOSSIBLE.length
  for (let index = trained; index < values.length / width; index++) {
    const scale = (OWN_LENGTH * mean) / length(index)
    for (const [at, value] of row(index).entries()) made[index * width + at] = value * scale + never[at]!
  }
  return made
}

/** Reads the files of a work folder and writes the model as `path`, whole or not at all. */
export async function exportFile(
  config: BaseConfig,
  options: { weights: string; tokenizer: string; path: string; type: QuantisedType },
): Promise<{ bytes: number }> {
  const tokenizer = JSON.parse(await readFile(options.tokenizer, 'utf8')) as TokenizerFile
  const bytes = exportModel(config, tokenizer, readSafetensors(await readFile(options.weights)), options.type)
  writeWhole(options.path, [bytes])
  return { bytes: bytes.length }
}
