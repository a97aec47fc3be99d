/**
 * Vocabulary: turns prompts into the very tokens llama.cpp will see, from the vocabulary of a GGUF file alone.
 * Training and serving share this file, so they cannot disagree. Knows nothing of weights, tasks or adapters.
 */
import { stat } from 'node:fs/promises'
import type { Llama, LlamaModel, Token } from 'node-llama-cpp'
import { BaseError, type Refusal, refuse } from '../../core/errors.ts'
import type { Prompt } from '../../core/prompt.ts'
import type { Vocabulary } from '../../ports/runtime.ts'

/** A place where the next-token distribution is read; `position` indexes the token after which it is read. */
export type TokenRead = { position: number; label?: number; weight?: number; labels?: readonly number[] }
/** `learned` are the indices of the tokens that are to be learned, each from those before it. */
export type TokenizedPrompt = { tokens: number[]; reads: TokenRead[]; learned: number[] }

export interface VocabularyHandle extends Vocabulary {
  /** Text is tokenised without special parsing: `<|im_end|>` typed by a user is plain characters. */
  tokenize(prompt: Prompt): TokenizedPrompt
  /** Tokens of a piece of text alone, without markers. */
  count(text: string): number
  /** Text of tokens; a character that is not whole yet comes as U+FFFD. Markers have no text. */
  text(tokens: readonly number[]): string
  /** Whether a token ends what a model writes. */
  ends(token: number): boolean
  labelTokens(count: number): string[] | Refusal
  /** Token ids of strings from {@link labelTokens}. @throws {LabelTokenError} when one is not a single token. */
  labelIds(strings: readonly string[]): number[]
  readonly contextLength: number
  close(): Promise<void>
}

/**
 * The first base says 1,024 tokens in its metadata, but was trained on 256: beyond that its positions are noise.
 * Later bases carry the key `modelfactory.trained_context` and need no entry here.
 */
const TRAINED_CONTEXT: Record<string, number> = { 'modelfactory-base-xs-v0': 256 }

/** Most reserved label tokens any of our bases has. */
const RESERVED = 256

/**
 * Longest sequence trained and served, whatever a base declares (Llama 3.2: 131,072): every served sequence keeps keys and values
 * for all of it, attention grows with its square, and longer texts are cut into windows anyway.
 */
const LONGEST = 2048

/** What opens and closes a turn or a text in other vocabularies, best first, for files that do not say which token it is. */
const OPENING = ['<|im_start|>', '<|begin_of_text|>', '<s>', '<bos>', '<|startoftext|>', '<|endoftext|>', '[BOS]']
const CLOSING = ['<|im_end|>', '<|eot_id|>', '<|end_of_text|>', '</s>', '<eos>', '<|endoftext|>', '[EOS]']

let shared: Promise<Llama> | undefined

/** The process's one llama.cpp, on the CPU, never compiled here. */
export function llama(): Promise<Llama> {
  shared ??= import('node-llama-cpp').then(({ getLlama, LlamaLogLevel }) =>
    getLlama({ gpu: false, build: 'never', progressLogs: false, logLevel: LlamaLogLevel.error }),
  )
  shared.catch(() => {
    shared = undefined
  })
  return shared
}

/** Loads the vocabulary of a GGUF file, not its weights. Refuses a file that is missing or that llama.cpp cannot read. */
export async function openVocabulary(path: string): Promise<VocabularyHandle | Refusal> {
  const file = await stat(path).catch(() => undefined)
  if (!file?.isFile()) return refuse('base_missing', `There is no base model at "${path}".`, 'Give the path of a GGUF file.')
  let model: LlamaModel
  try {
    model = await (await llama()).loadModel({ modelPath: path, vocabOnly: true, ignoreMemorySafetyChecks: true })
  } catch (error) {
    const reason = (error instanceof Error ? error.message : String(error)).replace(/\.+$/, '')
    return refuse('base_unreadable', `llama.cpp cannot read the vocabulary of "${path}": ${reason}.`, 'Give a whole GGUF file of a language model.')
  }
  const handle = vocabularyOf(model, () => model.dispose())
  if ('refused' in handle) await model.dispose()
  return handle
}

/** The vocabulary of a model that is already loaded. `close` runs when the handle is closed; by default the model is left alone. */
export function vocabularyOf(model: LlamaModel, close: () => Promise<void> = async () => {}): VocabularyHandle | Refusal {
  const single = (text: string): Token | undefined => {
    const tokens = model.tokenize(text, true)
    return tokens.length === 1 ? tokens[0] : undefined
  }
  const first = (texts: readonly string[]) => texts.map(single).find((token) => token !== undefined)
  const opening = single('<|im_start|>') ?? model.tokens.bos ?? first(OPENING)
  const closing = single('<|im_end|>') ?? model.tokens.eot ?? model.tokens.eos ?? first(CLOSING)
  // A vocabulary with one such token (GPT-2's) parts texts with it on both sides.
  const start = opening ?? closing
  const end = closing ?? opening
  if (start === undefined || end === undefined)
    return refuse(
      'base_without_markers',
      `The vocabulary of ${model.filename ?? 'this model'} has no tokens that open and close a turn.`,
      `Use a base with <|im_start|> and <|im_end|>, or with one of ${[...new Set([...OPENING, ...CLOSING])].slice(2).join(', ')}.`,
    )
  const special = { start, end }
  const begin = model.tokens.shouldPrependBosToken ? model.tokens.bos : null

  function tokenize(prompt: Prompt): TokenizedPrompt {
    const tokens: number[] = []
    const reads: TokenRead[] = []
    const learned: number[] = []
    const first = prompt[0]
    if (begin !== null && !(first?.kind === 'special' && special[first.token] === begin)) tokens.push(begin)
    for (const segment of prompt) {
      if (segment.kind === 'text')
        for (const token of model.tokenize(segment.text, false)) {
          // The first token of all has nothing before it to be learned from.
          if (segment.learned && tokens.length) learned.push(tokens.length)
          tokens.push(token)
        }
      else if (segment.kind === 'special') {
        if (segment.learned && tokens.length) learned.push(tokens.length)
        tokens.push(special[segment.token])
      } else {
        if (!tokens.length) throw new RangeError('A read must stand after at least one token.')
        const read: TokenRead = { position: tokens.length - 1 }
        if (segment.label !== undefined) read.label = segment.label
        if (segment.weight !== undefined) read.weight = segment.weight
        if (segment.labels !== undefined) read.labels = segment.labels
        reads.push(read)
      }
    }
    return { tokens, reads, learned }
  }

  /** Strings that are one token each, all tokens distinct, best first. Found once, when first asked. */
  let candidates: { text: string; id: number }[] | undefined
  function labelCandidates(): { text: string; id: number }[] {
    if (candidates) return candidates
    const texts = Array.from({ length: RESERVED }, (_, index) => `<|l${index}|>`).filter((text) => single(text) !== undefined)
    // A base without reserved tokens lends letters and digits, with and without a leading space.
    if (!texts.length) {
      const plain = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ', ...'0123456789', ...'abcdefghijklmnopqrstuvwxyz']
      texts.push(...plain.map((character) => ` ${character}`), ...plain, ...plain.flatMap((a) => plain.map((b) => ` ${a}${b}`)))
    }
    const seen = new Set<number>()
    candidates = []
    for (const text of texts) {
      const id = single(text)
      if (id === undefined || seen.has(id)) continue
      seen.add(id)
      candidates.push({ text, id })
    }
    return candidates
  }

  return {
    contextLength: contextLength(model),
    tokenize,
    count: (text) => model.tokenize(text, false).length,
    text: (tokens) => model.detokenize(tokens as Token[], false),
    ends: (token) => token === end || model.isEogToken(token as Token),
    labelTokens(count) {
      const found = labelCandidates()
      if (count > found.length)
        return refuse(
          'too_many_labels',
          `The base has ${found.length} tokens that can stand for a label, but ${count} labels were asked for.`,
          'Use fewer labels, or a base with more label tokens.',
        )
      return found.slice(0, count).map(({ text }) => text)
    },
    labelIds: (strings) =>
      strings.map((text) => {
        const id = single(text)
        if (id === undefined) throw new LabelTokenError(text)
        return id
      }),
    close,
  }
}

/**
 * Longest sequence the base was trained for: its own key, our list, or the architecture's `context_length`, and at most its
 * sliding window: llama.cpp lets every token see all before it, which up to the window is what the base was trained with.
 */
function contextLength(model: LlamaModel): number {
  const metadata = model.fileInfo.metadata as unknown as Record<string, Record<string, unknown> | undefined>
  const positive = (value: unknown) => (typeof value === 'number' && value > 0 ? value : undefined)
  const trained = positive(metadata.modelfactory?.trained_context)
  if (trained !== undefined) return trained
  const name = metadata.general?.name
  const known = typeof name === 'string' ? TRAINED_CONTEXT[name] : undefined
  const settings = metadata[model.architecture]
  const window = positive((settings?.attention as Record<string, unknown> | undefined)?.sliding_window)
  const declared = positive(settings?.context_length) ?? model.trainContextSize
  return Math.min(known ?? LONGEST, window ?? LONGEST, declared, LONGEST)
}

/** A string that should stand for a label is not exactly one token of this vocabulary. */
export class LabelTokenError extends BaseError {
  override readonly name = 'Vocabulary.LabelTokenError'
  constructor(text: string) {
    super(`"${text}" is not one token of this vocabulary, so it cannot stand for a label.`, { hints: ['Take label tokens from labelTokens().'] })
  }
}
