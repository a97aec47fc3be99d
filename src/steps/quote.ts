/**
 * The strong cheap answerer: quotes the sentences of the best passage that share most with the question, and says so when
 * too little of the question is found there. No model at all; every tuned model is measured against it.
 */
import type { Answer, Citation } from '../core/answer.ts'
import type { Example, Passage } from '../core/dataset.ts'
import { tokenF1 } from '../core/report.ts'
import type { PassageIndex, Retriever } from '../ports/retriever.ts'
import { type Matcher, matcher } from './match.ts'

export const notCovered = 'The pages do not cover this.'

export interface Quoter {
  /** Share of the question's weight (inverse document frequency) that the best passage holds: 0 to 1. */
  confidence(question: string): number
  /** At most `sentences` (3) sentences of the best passage in reading order; abstains when confidence is under `threshold`. */
  answer(question: string, threshold: number, sentences?: number): Answer
}

/** Builds the index once; answering takes milliseconds. */
export function quoter(ports: { retriever: Retriever }, passages: readonly Passage[], language: string): Quoter {
  return quoterOf(ports.retriever.index(passages, language), matcher(passages))
}

export function quoterOf(index: PassageIndex, match: Matcher): Quoter {
  const best = (question: string) => index.search(question, 1)[0]?.passage
  const confidence = (question: string): number => {
    const passage = best(question)
    return passage ? match(question, passage) : 0
  }
  return {
    confidence,
    answer(question, threshold, limit = 3) {
      const passage = best(question)
      if (!passage || match(question, passage) < threshold) return { text: notCovered, citations: [], abstained: true }
      const chosen = passage.sentences
        .map((sentence, place) => ({ sentence, place, value: match.share(question, sentence) }))
        .sort((a, b) => b.value - a.value || a.place - b.place)
        .slice(0, limit)
        .sort((a, b) => a.place - b.place)
      const citations: Citation[] = chosen.map(({ sentence, value }) => ({
        quote: sentence,
        title: passage.title,
        heading: passage.heading,
        file: passage.source.file,
        ...(passage.source.url === undefined ? {} : { url: passage.source.url }),
        probability: value,
      }))
      return { text: citations.map((citation) => citation.quote).join(' '), citations, abstained: false }
    },
  }
}

/**
 * The threshold with the best mean score on practice: token-F1 where there is an answer, 1 or 0 for abstaining or not where
 * there is none. Without such cases nothing is known about abstaining and a quarter of the question must be found.
 */
export function chooseThreshold(quoter: Quoter, practice: readonly Example[]): number {
  if (!practice.some((item) => item.answer === null) || !practice.some((item) => typeof item.answer === 'string')) return 0.25
  const cases = practice.map((item) => ({
    confidence: quoter.confidence(item.input),
    answered: score(quoter.answer(item.input, 0), item),
    abstained: item.answer === null ? 1 : 0,
  }))
  const cuts = [...new Set(cases.map((item) => item.confidence))].sort((a, b) => a - b)
  const middles = [0, ...cuts.map((cut, place) => (cut + (cuts[place + 1] ?? 1)) / 2)]
  let chosen = { threshold: 0, value: -1 }
  for (const threshold of middles) {
    const covered = mean(cases.filter((item) => !item.abstained).map((item) => (item.confidence < threshold ? 0 : item.answered)))
    const uncovered = mean(cases.filter((item) => item.abstained).map((item) => (item.confidence < threshold ? 1 : 0)))
    const best = mean(cases.filter((item) => !item.abstained).map((item) => item.answered)) || 1
    // Both sides count the same, whatever their numbers; quotes are measured against the best they can reach.
    const value = covered / best + uncovered
    if (value > chosen.value + 1e-9) chosen = { threshold, value }
  }
  return chosen.threshold
}

/** Token-F1 with the right answer; 1 for abstaining exactly when there is none. */
export function score(answer: Answer, example: Example): number {
  if (example.answer === null || example.answer === undefined) return answer.abstained ? 1 : 0
  return answer.abstained ? 0 : tokenF1(answer.text, example.answer)
}

const mean = (numbers: readonly number[]): number => (numbers.length ? numbers.reduce((sum, value) => sum + value, 0) / numbers.length : 0)
