/**
 * How alike two texts are, and which of many are nearly the same: word shingles and their Jaccard share (Broder 1997).
 * Knows nothing of what the texts are for.
 */
import { duplicateKey } from '../core/dataset.ts'

/** Two texts at least this alike are near duplicates. */
export const nearDuplicate = 0.8

/** Overlapping runs of three words; of five characters in scripts without spaces; the whole text when it is shorter. */
export function shingles(text: string): Set<string> {
  const key = duplicateKey(text)
  const words = key.split(' ')
  const unspaced = key.length > words.length * 14
  const pieces = unspaced ? Array.from(key) : words
  const size = unspaced ? 5 : 3
  if (pieces.length <= size) return new Set([key])
  const found = new Set<string>()
  for (let start = 0; start + size <= pieces.length; start++) found.add(pieces.slice(start, start + size).join(unspaced ? '' : ' '))
  return found
}

/** Share of shingles two texts have in common, 0 to 1. */
export function jaccard(left: ReadonlySet<string>, right: ReadonlySet<string>): number {
  const [small, large] = left.size < right.size ? [left, right] : [right, left]
  let common = 0
  for (const piece of small) if (large.has(piece)) common++
  return common / (left.size + right.size - common || 1)
}

/** Remembers texts and finds the earlier ones a new text is nearly the same as. */
export class Likeness {
  readonly #texts: Set<string>[] = []
  readonly #holders = new Map<string, number[]>()

  /** Numbers, in the order of {@link add}, of the texts at least `threshold` alike. */
  find(text: string, threshold = nearDuplicate): number[] {
    const own = shingles(text)
    const common = new Map<number, number>()
    // A text as alike as that shares all but a few shingles: the rarest ones are enough to find it (prefix filter).
    const prefix = own.size - Math.ceil(threshold * own.size) + 1
    const ordered = [...own].map((piece) => ({ piece, holders: this.#holders.get(piece) ?? [] })).sort((a, b) => a.holders.length - b.holders.length)
    for (const { holders } of ordered.slice(0, prefix)) for (const holder of holders) common.set(holder, 1)
    return [...common.keys()].filter((index) => jaccard(own, this.#texts[index]!) >= threshold).sort((a, b) => a - b)
  }

  add(text: string): void {
    const own = shingles(text)
    const index = this.#texts.push(own) - 1
    for (const piece of own) {
      const holders = this.#holders.get(piece)
      if (holders) holders.push(index)
      else this.#holders.set(piece, [index])
    }
  }
}

/** Texts from which on {@link Sketches} are kept instead of the texts' own shingles. */
const MANY = 30_000

/** What remembers `count` texts: exactly where they are few, by sketches where memory would not hold them. */
export function likenessOf(count: number): Pick<Likeness, 'find' | 'add'> {
  return count > MANY ? new Sketches() : new Likeness()
}

/** Bands of a sketch and values a band: a text 0.8 alike is missed 3 times in 1,000, one 0.9 alike 3 times in 100,000. */
const BANDS = 8
const ROWS = 3
/** Texts looked at closely of those that share a band: a form that a million rows repeat must not be compared with all of them. */
const CLOSELY = 64

/**
 * {@link Likeness} for a million texts: hashed shingles in one array, found by MinHash in bands (Broder 1997; Leskovec et al.,
 * Mining of Massive Datasets, 3.4), about 130 bytes a text and 4 a shingle.
 */
export class Sketches {
  #shingles = new Uint32Array(1 << 16)
  #ends: number[] = []
  /** Of entry `text * BANDS + band`: its key, and the entry before it of the same key, counted from 1. */
  #keys = new Uint32Array(1 << 12)
  #before = new Int32Array(1 << 12)
  /** The latest entry of a key, from 1, by open addressing. */
  #latest = new Int32Array(1 << 13)

  find(text: string, threshold = nearDuplicate): number[] {
    const own = hashed(text)
    const near = new Set<number>()
    for (const key of bandKeys(own)) {
      let entry = this.#latest[this.#slot(key)]!
      for (let looked = 0; entry && looked < CLOSELY; looked++) {
        near.add(Math.floor((entry - 1) / BANDS))
        entry = this.#before[entry - 1]!
      }
    }
    return [...near].filter((index) => this.#alike(own, index) >= threshold).sort((a, b) => a - b)
  }

  add(text: string): void {
    const own = hashed(text)
    const start = this.#ends.at(-1) ?? 0
    if (start + own.length > this.#shingles.length) this.#shingles = grown(this.#shingles, start + own.length)
    this.#shingles.set(own, start)
    this.#ends.push(start + own.length)
    let entry = (this.#ends.length - 1) * BANDS
    if (entry + BANDS > this.#keys.length) {
      this.#keys = grown(this.#keys, entry + BANDS)
      this.#before = grown(this.#before, entry + BANDS)
      this.#latest = new Int32Array(this.#keys.length * 2)
      // Entries are set anew in their order, so that each key ends at its latest.
      for (let earlier = 0; earlier < entry; earlier++) this.#latest[this.#slot(this.#keys[earlier]!)] = earlier + 1
    }
    for (const key of bandKeys(own)) {
      const slot = this.#slot(key)
      this.#keys[entry] = key
      this.#before[entry] = this.#latest[slot]!
      this.#latest[slot] = ++entry
    }
  }

  #slot(key: number): number {
    const most = this.#latest.length - 1
    let slot = (Math.imul(key, 0x9e3779b1) >>> 0) & most
    while (this.#latest[slot] && this.#keys[this.#latest[slot]! - 1] !== key) slot = (slot + 1) & most
    return slot
  }

  #alike(own: Uint32Array, index: number): number {
    const start = index ? this.#ends[index - 1]! : 0
    const end = this.#ends[index]!
    let common = 0
    for (let left = 0, right = start; left < own.length && right < end; ) {
      const difference = own[left]! - this.#shingles[right]!
      if (difference === 0) common++
      if (difference <= 0) left++
      if (difference >= 0) right++
    }
    return common / (own.length + end - start - common || 1)
  }
}

/** A text's shingles as 32-bit hashes (FNV-1a), sorted, each once. */
function hashed(text: string): Uint32Array {
  const hashes = Uint32Array.from(shingles(text), (piece) => {
    let hash = 0x811c9dc5
    for (let index = 0; index < piece.length; index++) hash = Math.imul(hash ^ piece.charCodeAt(index), 0x01000193)
    return (hash ^ (hash >>> 15)) >>> 0
  }).sort()
  return hashes.filter((hash, index) => index === 0 || hash !== hashes[index - 1])
}

function bandKeys(hashes: Uint32Array): number[] {
  return Array.from({ length: BANDS }, (_, band) => {
    let key = band
    for (let row = 0; row < ROWS; row++) {
      const factor = Math.imul(2 * (band * ROWS + row) + 1, 0x9e3779b1) | 1
      let least = 0xffffffff
      for (const hash of hashes) {
        const mixed = Math.imul(hash ^ (hash >>> 16), factor)
        const value = (mixed ^ (mixed >>> 13)) >>> 0
        if (value < least) least = value
      }
      key = Math.imul(key ^ least, 0x85ebca6b) + 0x165667b1
    }
    return (key ^ (key >>> 16)) >>> 0
  })
}

function grown<T extends Uint32Array | Int32Array>(array: T, least: number): T {
  const size = 2 ** Math.ceil(Math.log2(Math.max(least, array.length * 2)))
  const larger = new (array.constructor as new (size: number) => T)(size)
  larger.set(array)
  return larger
}
