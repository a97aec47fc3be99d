/**
 * Match: how much of a question a passage holds, each word weighed by how rare it is among the passages. Told to the model,
 * and the whole of what the cheap baseline goes by. Knows nothing of models.
 */
import { duplicateKey, type Passage } from '../core/dataset.ts'

/** Share of the question's weight that a passage (title, heading and sentences) holds, 0 to 1. */
export type Match = (question: string, passage: Passage) => number

/** As {@link Match}, and of any text. */
export type Matcher = Match & { share(question: string, text: string): number }

/** Counts the words of all passages once; each passage's own words are kept when first asked for. */
export function matcher(passages: readonly Passage[]): Matcher {
  const documents = new Map<string, number>()
  const held = new WeakMap<Passage, Set<string>>()
  const wordsOf = (passage: Passage): Set<string> => {
    const known = held.get(passage) ?? words(`${passage.title} ${passage.heading} ${passage.sentences.join(' ')}`)
    held.set(passage, known)
    return known
  }
  for (const passage of passages) for (const word of wordsOf(passage)) documents.set(word, (documents.get(word) ?? 0) + 1)
  // Inverse document frequency as BM25 has it (Robertson and Zaragoza 2009).
  const rarity = (word: string): number => Math.log(1 + (passages.length - (documents.get(word) ?? 0) + 0.5) / ((documents.get(word) ?? 0) + 0.5))
  const share = (question: string, found: ReadonlySet<string>): number => {
    let sum = 0
    let all = 0
    for (const word of words(question)) {
      all += rarity(word)
      if (found.has(word)) sum += rarity(word)
    }
    return all > 0 ? sum / all : 0
  }
  return Object.assign((question: string, passage: Passage) => share(question, wordsOf(passage)), {
    share: (question: string, text: string) => share(question, words(text)),
  })
}

function words(text: string): Set<string> {
  return new Set(duplicateKey(text).split(' ').filter(Boolean))
}
