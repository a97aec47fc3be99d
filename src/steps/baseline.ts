/**
 * The strong cheap answerer of the exam: BM25's best passages quoted, abstaining when too little of the question is found.
 * How much it quotes and when it abstains are chosen on practice, as everything of the tuned model's is. No model at all.
 */
import type { Example, Passage } from '../core/dataset.ts'
import type { Retriever } from '../ports/retriever.ts'
import { quoter } from './quote.ts'
import { worth } from './worth.ts'

export const whatBaselineIs = 'BM25: the best passages quoted, abstaining under a threshold'

/** Passages quoted at most; whole, or the three sentences of the first that share most with the question. */
const CHOICES = [{ sentences: 3 }, { passages: 1 }, { passages: 2 }, { passages: 3 }, { passages: 4 }] as const

/** @returns what is quoted for a question, null when it abstains */
export function quoteBaseline(
  ports: { retriever: Retriever },
  options: { passages: readonly Passage[]; practice: readonly Example[]; language: string },
): (question: string) => string[] | null {
  const cheap = quoter(ports, options.passages, options.language)
  const index = ports.retriever.index(options.passages, options.language)
  const quoted = (question: string, choice: (typeof CHOICES)[number]): string[] =>
    'sentences' in choice
      ? cheap.answer(question, 0, choice.sentences).citations.map((citation) => citation.quote)
      : index.search(question, choice.passages).flatMap(({ passage }) => passage.sentences)
  let best = { choice: CHOICES[0] as (typeof CHOICES)[number], threshold: 0, score: -1 }
  for (const choice of CHOICES) {
    const cases = options.practice.map((example) => {
      const reference = example.answer ?? null
      const quotes = quoted(example.input, choice)
      return {
        confidence: cheap.confidence(example.input),
        answered: worth(quotes.length ? quotes.join(' ') : null, reference),
        abstained: worth(null, reference),
      }
    })
    const cuts = [0, ...cases.map((one) => one.confidence + 1e-9)]
    for (const threshold of cuts) {
      const score = cases.reduce((sum, one) => sum + (one.confidence >= threshold ? one.answered : one.abstained), 0)
      if (score > best.score) best = { choice, threshold, score }
    }
  }
  return (question) => {
    if (cheap.confidence(question) < best.threshold) return null
    const quotes = quoted(question, best.choice)
    return quotes.length ? quotes : null
  }
}
