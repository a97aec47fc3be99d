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
