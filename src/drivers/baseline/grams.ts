/**
 * Grams: text as sparse rows of TF-IDF, word 1-2-grams and character 2-5-grams. Knows nothing of labels or of what learns from the rows.
 */
import { type SparseRows, sparse } from '../../engine/linear.ts'

const vocabularyLimit = 200_000

/** Two families of n-grams, each with its own unit length, so that the many characters do not drown the few words. */
export function learnGrams(inputs: readonly string[]) {
  const families = [family(wordGrams, inputs), family(characterGrams(), inputs)]
  return { families: families.map(({ grams, rarity }): Family => ({ grams, rarity: Array.from(rarity) })), encode: encoder(families) }
}

/** Rows of texts by families as {@link learnGrams} found them. */
export function encodeBy(families: readonly Family[]): (inputs: readonly string[]) => SparseRows {
  return encoder(families.map(({ grams, rarity }, index) => encoded(index === 0 ? wordGrams : characterGrams(), grams, Float64Array.from(rarity))))
}

/** Words or characters: the grams that are kept, and how rare each is. */
export type Family = { grams: string[]; rarity: number[] }

function encoder(families: readonly ReturnType<typeof encoded>[]): (inputs: readonly string[]) => SparseRows {
  const width = families.reduce((sum, item) => sum + item.width, 0)
  return (texts) =>
    sparse(
      width,
      texts.map((text) => {
        const parts = families.map((item) => item.encode(text))
        const indices = new Int32Array(parts.reduce((sum, part) => sum + part.indices.length, 0))
        const values = new Float32Array(indices.length)
        let place = 0
        let offset = 0
        for (const [index, part] of parts.entries()) {
          for (const [at, value] of part.indices.entries()) indices[place + at] = value + offset
          values.set(part.values, place)
          place += part.indices.length
          offset += families[index]!.width
        }
        return { indices, values }
      }),
    )
}

/** Learns which grams to keep (seen in two texts or more, the most frequent first) and how rare each is. */
function family(grams: (text: string) => Map<string, number>, inputs: readonly string[]) {
  const documents = new Map<string, number>()
  for (const input of inputs) for (const gram of grams(input).keys()) documents.set(gram, (documents.get(gram) ?? 0) + 1)
  const least = inputs.length >= 100 ? 2 : 1
  let kept = [...documents].filter(([, count]) => count >= least)
  if (kept.length > vocabularyLimit) kept = kept.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, vocabularyLimit)
  return encoded(
    grams,
    kept.map(([gram]) => gram),
    Float64Array.from(kept, ([, count]) => Math.log((1 + inputs.length) / (1 + count)) + 1),
  )
}

/** A family as it is used: which grams it keeps, and how rare each is. */
function encoded(cut: (text: string) => Map<string, number>, grams: readonly string[], rarity: Float64Array) {
  const column = new Map(grams.map((gram, index) => [gram, index]))
  return {
    grams: [...grams],
    rarity,
    width: grams.length,
    encode(text: string) {
      const found: [number, number][] = []
      for (const [gram, count] of cut(text)) {
        const index = column.get(gram)
        if (index !== undefined) found.push([index, (1 + Math.log(count)) * rarity[index]!])
      }
      found.sort((a, b) => a[0] - b[0])
      const length = Math.sqrt(found.reduce((sum, [, value]) => sum + value * value, 0)) || 1
      return { indices: Int32Array.from(found, ([index]) => index), values: Float32Array.from(found, ([, value]) => value / length) }
    },
  }
}

const even = (text: string): string => text.normalize('NFKC').toLowerCase()

function wordGrams(text: string): Map<string, number> {
  const counts = new Map<string, number>()
  const words = even(text).match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  for (const [index, word] of words.entries()) {
    counts.set(word, (counts.get(word) ?? 0) + 1)
    const after = words[index + 1]
    if (after === undefined) continue
    const pair = `${word} ${after}`
    counts.set(pair, (counts.get(pair) ?? 0) + 1)
  }
  return counts
}

/** Character 2-5-grams inside words, spaces at both ends. The grams of a word are cut once and kept, as words come again. */
function characterGrams(): (text: string) => Map<string, number> {
  const known = new Map<string, string[]>()
  const cut = (word: string): string[] => {
    const characters = Array.from(` ${word} `)
    const grams: string[] = []
    for (let size = 2; size <= 5; size++)
      for (let start = 0; start + size <= characters.length; start++) grams.push(characters.slice(start, start + size).join(''))
    if (known.size < 200_000) known.set(word, grams)
    return grams
  }
  return (text) => {
    const counts = new Map<string, number>()
    for (const word of even(text).split(/\s+/)) {
      if (!word) continue
      for (const gram of known.get(word) ?? cut(word)) counts.set(gram, (counts.get(gram) ?? 0) + 1)
    }
    return counts
  }
}
