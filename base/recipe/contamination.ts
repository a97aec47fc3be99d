/**
 * Contamination: which documents share a stretch of words with the tasks that models are later examined on. A stretch is 13
 * words in a row, the length used for GPT-3 (Brown et al. 2020, appendix C); a shorter text of at least 8 words counts
 * as a whole. Words are compared without case or punctuation. Knows nothing of where documents or tasks come from.
 */

const STRETCH = 13
const SHORTEST = 8

const WORD = /[\p{L}\p{N}\p{M}]+/gu

/** Two multipliers of a polynomial hash modulo 2^32; together they make 53 bits, so that a chance match is as good as excluded. */
const FIRST = 0x01000193
const SECOND = 0x85ebca6b

export type Contamination = {
  /** Adds one text of a task. */
  add(text: string): void
  /** True when the document holds a stretch of any text added. */
  found(document: string): boolean
  readonly stretches: number
}

export function contamination(): Contamination {
  /** Stretches by their length in words. */
  const known = new Map<number, Set<number>>()
  let stretches = 0
  const setOf = (length: number) => {
    const set = known.get(length) ?? new Set<number>()
    known.set(length, set)
    return set
  }
  return {
    add(text) {
      const sums = prefixSums(text)
      const words = sums.first.length - 1
      const length = Math.min(STRETCH, words)
      if (length < SHORTEST) return
      const set = setOf(length)
      for (let end = length; end <= words; end++) {
        const size = set.size
        set.add(stretch(sums, end, length))
        stretches += set.size - size
      }
    },
    found(document) {
      const sums = prefixSums(document)
      for (const [length, set] of known) for (let end = length; end < sums.first.length; end++) if (set.has(stretch(sums, end, length))) return true
      return false
    },
    get stretches() {
      return stretches
    },
  }
}

type Sums = { first: Int32Array; second: Int32Array }

/** Hashes of the first n words, for every n. */
function prefixSums(text: string): Sums {
  const words = text.toLowerCase().match(WORD) ?? []
  const first = new Int32Array(words.length + 1)
  const second = new Int32Array(words.length + 1)
  for (const [index, word] of words.entries()) {
    const value = wordHash(word)
    first[index + 1] = (Math.imul(first[index]!, FIRST) + value) | 0
    second[index + 1] = (Math.imul(second[index]!, SECOND) + (value ^ 0x5bd1e995)) | 0
  }
  return { first, second }
}

/** The hash of `length` words that end before `end`. */
function stretch({ first, second }: Sums, end: number, length: number): number {
  const one = (first[end]! - Math.imul(first[end - length]!, power(FIRST, length))) >>> 0
  const two = (second[end]! - Math.imul(second[end - length]!, power(SECOND, length))) >>> 0
  return one * 2_097_152 + (two >>> 11)
}

const powers = new Map<number, number[]>()

function power(base: number, exponent: number): number {
  let list = powers.get(base)
  if (!list) {
    list = [1]
    powers.set(base, list)
  }
  while (list.length <= exponent) list.push(Math.imul(list.at(-1)!, base))
  return list[exponent]!
}

/** FNV-1a over UTF-16 units. */
function wordHash(word: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < word.length; at++) hash = Math.imul(hash ^ word.charCodeAt(at), 0x01000193)
  return hash | 0
}
