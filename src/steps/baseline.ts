/**
 * Quoting by words: BM25's best passages, abstaining when too little of the question is found. How much it quotes and when it abstains are chosen on
 * practice, as everything of the tuned model's is. It is the strong cheap answerer of every exam, and what a model is served by where practice says
 * that its weights choose worse. No model at all.
 */
import type { Citation } from '../core/answer.ts'
import type { Example, Passage } from '../core/dataset.ts'
import type { Quoting } from '../core/weights.ts'
import type { PassageIndex, Retriever } from '../ports/retriever.ts'
import { type Matcher, matcher } from './match.ts'
import { quoterOf } from './quote.ts'
import { worth } from './worth.ts'

export const whatBaselineIs = 'BM25: the best passages quoted, abstaining under a threshold'

/** Passages quoted at most; whole, or the three sentences of the first that share most with the question. */
const CHOICES = [
  { by: 'sentences', count: 3 },
  { by: 'passages', count: 1 },
  { by: 'passages', count: 2 },
  { by: 'passages', count: 3 },
  { by: 'passages', count: 4 },
] as const

/** Where the words are looked up. */
export type Words = { index: PassageIndex; match: Matcher }

/** What is quoted for a question; null when it abstains. */
export function quoteByWords({ index, match }: Words, quoting: Quoting, question: string): Citation[] | null {
  const cheap = quoterOf(index, match)
  if (cheap.confidence(question) < quoting.threshold) return null
  const found = quoting.by === 'sentences' ? cheap.answer(question, 0, quoting.count).citations : whole({ index, match }, question, quoting.count)
  return found.length ? found : null
}

function whole({ index, match }: Words, question: string, count: number): Citation[] {
  return index.search(question, count).flatMap(({ passage }) =>
    passage.sentences.map((quote) => ({
      ...{ quote, title: passage.title, heading: passage.heading, file: passage.source.file, probability: match(question, passage) },
      ...(passage.source.url === undefined ? {} : { url: passage.source.url }),
    })),
  )
}

/** The quoting with the highest mean worth on practice, and what each case's answer is worth with it. */
export function chooseQuoting(words: Words, practice: readonly Example[]): { quoting: Quoting; score: number; worths: number[] } {
  const cheap = quoterOf(words.index, words.match)
  let best: { quoting: Quoting; score: number; worths: number[] } = { quoting: { ...CHOICES[0], threshold: 0 }, score: -1, worths: [] }
  for (const choice of CHOICES) {
    const cases = practice.map((example) => {
      const reference = example.answer ?? null
      const quotes = quoteByWords(words, { ...choice, threshold: 0 }, example.input)
      return {
        confidence: cheap.confidence(example.input),
        answered: worth(quotes?.map(({ quote }) => quote).join(' ') ?? null, reference),
        abstained: worth(null, reference),
      }
    })
    const cuts = [0, ...cases.map((one) => one.confidence + 1e-9)]
    for (const threshold of cuts) {
      const worths = cases.map((one) => (one.confidence >= threshold ? one.answered : one.abstained))
      const score = worths.reduce((sum, one) => sum + one, 0)
      if (score > best.score) best = { quoting: { ...choice, threshold }, score, worths }
    }
  }
  return best
}

/** @returns what is quoted for a question, null when it abstains */
export function quoteBaseline(
  ports: { retriever: Retriever },
  options: { passages: readonly Passage[]; practice: readonly Example[]; language: string },
): (question: string) => string[] | null {
  const words = { index: ports.retriever.index(options.passages, options.language), match: matcher(options.passages) }
  const { quoting } = chooseQuoting(words, options.practice)
  return (question) => quoteByWords(words, quoting, question)?.map(({ quote }) => quote) ?? null
}
