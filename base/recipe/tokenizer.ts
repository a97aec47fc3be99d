/**
 * Tokenizer: byte-level byte-pair encoding (Sennrich et al. 2016; bytes as Radford et al. 2019), learned from word counts and
 * applied. Texts are first cut as llama.cpp cuts them under `tokenizer.ggml.pre = qwen2`, so a file that names that cut
 * is read the same way by llama.cpp. Every byte is a token, so no text is unreadable. Knows nothing of corpora or models.
 */

export const END_OF_TEXT = '<|endoftext|>'
export const START = '<|im_start|>'
export const END = '<|im_end|>'
const MARKERS = [END_OF_TEXT, START, END]

/** The layout of Hugging Face's `tokenizers` library, as far as a byte-level tokenizer of ours needs it. */
export type TokenizerFile = {
  version: '1.0'
  added_tokens: { id: number; content: string; special: true }[]
  pre_tokenizer: { type: 'Sequence'; pretokenizers: unknown[] }
  decoder: { type: 'ByteLevel' }
  model: { type: 'BPE'; vocab: Record<string, number>; merges: string[] }
}

/** How llama.cpp (`LLAMA_VOCAB_PRE_TYPE_QWEN2`) and Qwen2 cut a text into words before pairs are joined. */
const WORDS = /(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+/gu

/** Longer stretches of one kind (a line of dashes) are not learned from; they are encoded all the same. */
const LONGEST_WORD = 64

/** Adds the words of a text to the counts. */
export function countWords(text: string, counts: Map<string, number>): void {
  for (const [word] of text.matchAll(WORDS)) if (word.length <= LONGEST_WORD) counts.set(word, (counts.get(word) ?? 0) + 1)
}

/**
 * Learns a tokenizer of `vocabulary` tokens: the three markers, the 256 bytes, pairs joined by frequency, and `labels`
 * reserved tokens `<|l0|>` ... as the last ids. Ties go to the pair met first, so the same counts give the same tokenizer.
 * @throws {RangeError} when the vocabulary has no room for markers, bytes and labels.
 */
export function learnTokenizer(counts: ReadonlyMap<string, number>, options: { vocabulary: number; labels: number }): TokenizerFile {
  const room = options.vocabulary - MARKERS.length - 256 - options.labels
  if (room < 0) throw new RangeError(`A vocabulary of ${options.vocabulary} has no room for 3 markers, 256 bytes and ${options.labels} labels.`)
  const words: number[][] = []
  const weights: number[] = []
  const encoder = new TextEncoder()
  for (const [word, count] of [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))) {
    words.push([...encoder.encode(word)])
    weights.push(count)
  }
  const pieces: string[] = byteCharacters()
  const merges: string[] = []
  const pairs = new PairCounts()
  for (const [index, word] of words.entries()) for (let at = 1; at < word.length; at++) pairs.add(word[at - 1]!, word[at]!, weights[index]!, index)
  while (merges.length < room) {
    const best = pairs.most()
    if (!best) break
    const [left, right] = best
    const joined = pieces.length
    merges.push(`${pieces[left]} ${pieces[right]}`)
    pieces.push(pieces[left]! + pieces[right]!)
    for (const index of pairs.take(left, right)) {
      const word = words[index]!
      const weight = weights[index]!
      for (let at = 1; at < word.length; at++) {
        if (word[at - 1] !== left || word[at] !== right) continue
        if (at > 1) {
          pairs.add(word[at - 2]!, left, -weight, index)
          pairs.add(word[at - 2]!, joined, weight, index)
        }
        if (at + 1 < word.length) {
          pairs.add(right, word[at + 1]!, -weight, index)
          pairs.add(joined, word[at + 1]!, weight, index)
        }
        word.splice(at - 1, 2, joined)
      }
    }
  }
  const labels = Array.from({ length: options.labels }, (_, index) => `<|l${index}|>`)
  // A corpus too small to fill the vocabulary leaves the rest unused, so that sizes are as the configuration says.
  const unused = Array.from({ length: room - merges.length }, (_, index) => `<|unused${index}|>`)
  const tokens = [...MARKERS, ...pieces, ...unused, ...labels]
  const special = new Set([...MARKERS, ...labels, ...unused])
  return {
    version: '1.0',
    added_tokens: tokens.flatMap((content, id) => (special.has(content) ? [{ id, content, special: true as const }] : [])),
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: WORDS.source }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
      ],
    },
    decoder: { type: 'ByteLevel' },
    model: { type: 'BPE', vocab: Object.fromEntries(tokens.map((token, id) => [token, id])), merges },
  }
}

/** How often neighbours occur, where, and which occur most. */
class PairCounts {
  readonly #counts = new Map<number, number>()
  readonly #places = new Map<number, Set<number>>()
  /** A heap by count; an entry whose count has changed since is stale and is put back with the right one when it comes up. */
  readonly #heap: { key: number; count: number; order: number }[] = []
  #met = 0
  readonly #order = new Map<number, number>()
  #filled = false

  add(left: number, right: number, weight: number, place: number): void {
    const key = left * 65_536 + right
    const count = (this.#counts.get(key) ?? 0) + weight
    this.#counts.set(key, count)
    if (weight < 0) return
    let places = this.#places.get(key)
    if (!places) {
      places = new Set()
      this.#places.set(key, places)
      this.#order.set(key, this.#met++)
    }
    places.add(place)
    if (this.#filled) this.#push({ key, count, order: this.#order.get(key)! })
  }

  /** The pair that occurs most, and at least twice. */
  most(): [left: number, right: number] | undefined {
    if (!this.#filled) {
      this.#filled = true
      for (const [key, count] of this.#counts) this.#push({ key, count, order: this.#order.get(key)! })
    }
    for (;;) {
      const top = this.#pop()
      if (!top || top.count < 2) return undefined
      const count = this.#counts.get(top.key) ?? 0
      if (count === top.count) return [Math.floor(top.key / 65_536), top.key % 65_536]
      if (count > 1 && count < top.count) this.#push({ ...top, count })
    }
  }

  /** The places of a pair, which is counted no more. */
  take(left: number, right: number): Set<number> {
    const key = left * 65_536 + right
    const places = this.#places.get(key) ?? new Set()
    this.#places.delete(key)
    this.#counts.delete(key)
    return places
  }

  #before(a: { count: number; order: number }, b: { count: number; order: number }): boolean {
    return a.count > b.count || (a.count === b.count && a.order < b.order)
  }

  #push(entry: { key: number; count: number; order: number }): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!this.#before(entry, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  #pop(): { key: number; count: number; order: number } | undefined {
    const heap = this.#heap
    const top = heap[0]
    const last = heap.pop()
    if (!top || !last || heap.length === 0) return top
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && this.#before(heap[child + 1]!, heap[child]!)) child++
      if (!this.#before(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return top
  }
}

/** Words kept with their tokens; a corpus repeats few words most of the time. */
const CACHED_WORDS = 500_000

export type Encoder = {
  readonly vocabulary: number
  /** The first id of the label tokens, which pre-training never predicts. */
  readonly firstLabel: number
  /** Token ids of a text; markers written in it are plain characters. */
  encode(text: string): number[]
  id(token: string): number
}

/** The encoder of a tokenizer made by {@link learnTokenizer}: pairs are joined in the order in which they were learned. */
export function encoder(file: TokenizerFile): Encoder {
  const { vocab, merges } = file.model
  const bytes = byteCharacters().map((character) => vocab[character]!)
  const ranks = new Map<number, { rank: number; joined: number }>()
  for (const [rank, merge] of merges.entries()) {
    const [left, right] = merge.split(' ') as [string, string]
    ranks.set(vocab[left]! * 65_536 + vocab[right]!, { rank, joined: vocab[left + right]! })
  }
  const cache = new Map<string, readonly number[]>()
  const utf8 = new TextEncoder()

  function encodeWord(word: string): readonly number[] {
    const tokens = Array.from(utf8.encode(word), (byte) => bytes[byte]!)
    while (tokens.length > 1) {
      let best: { rank: number; joined: number; at: number } | undefined
      for (let at = 1; at < tokens.length; at++) {
        const found = ranks.get(tokens[at - 1]! * 65_536 + tokens[at]!)
        if (found && (!best || found.rank < best.rank)) best = { ...found, at }
      }
      if (!best) break
      tokens.splice(best.at - 1, 2, best.joined)
    }
    return tokens
  }

  return {
    vocabulary: Object.keys(vocab).length,
    firstLabel: vocab['<|l0|>'] ?? Object.keys(vocab).length,
    encode(text) {
      const tokens: number[] = []
      for (const [word] of text.matchAll(WORDS)) {
        let found = cache.get(word)
        if (!found) {
          found = encodeWord(word)
          if (cache.size < CACHED_WORDS) cache.set(word, found)
        }
        for (const token of found) tokens.push(token)
      }
      return tokens
    },
    id(token) {
      const id = vocab[token]
      if (id === undefined) throw new RangeError(`The tokenizer has no token ${JSON.stringify(token)}.`)
      return id
    },
  }
}

/** GPT-2's printable stand-in for each byte (Radford et al. 2019): itself where it is printable, else a letter from 256 on. */
function byteCharacters(): string[] {
  let further = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174
    return String.fromCharCode(printable ? byte : further++)
  })
}
