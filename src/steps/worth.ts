/**
 * What an answer is worth, which sentences a reference answer supports, and when one way of answering is better than another: the judgements
 * that training, thresholds and the exam share, so that they cannot drift apart.
 */
import { duplicateKey, sentences } from '../core/dataset.ts'
import { exactMatch, rougeL } from '../core/metrics.ts'
import { tokenF1 } from '../core/report.ts'
import type { AnswerFigures } from '../core/sheet.ts'

/** A sentence supports an answer when one sentence of the reference holds this share of its words. */
const SUPPORT_OVERLAP = 0.8

/** A reference of so many words may be a piece of the sentence that supports it: a name, a date, a number with its unit. */
const SHORT_WORDS = 12

/**
 * Says whether a sentence supports a reference answer: it is held there word for word, or most of its words in one of its sentences,
 * or the reference is a few words of the sentence.
 */
export function supports(reference: string): (sentence: string) => boolean {
  const whole = ` ${duplicateKey(reference)} `
  const short = whole.trim().length >= 3 && whole.trim().split(' ').length <= SHORT_WORDS
  const parts = sentences(reference).map((sentence) => new Set(duplicateKey(sentence).split(' ')))
  return (sentence) => {
    const key = duplicateKey(sentence)
    const words = key.split(' ')
    if (words.length < 3) return false
    if (whole.includes(` ${key} `)) return true
    if (short && ` ${key} `.includes(whole)) return true
    return parts.some((part) => words.filter((word) => part.has(word)).length >= SUPPORT_OVERLAP * words.length)
  }
}

/**
 * What an answer is worth: for a covered question the token-F1 of the quoted sentences with the reference (0 when it
 * abstained); for a question the pages do not cover, 1 when it abstained and 0 otherwise.
 */
export function worth(quoted: string | null, reference: string | null): number {
  if (reference === null) return quoted === null ? 1 : 0
  return quoted === null ? 0 : tokenF1(quoted, reference)
}

/** How the quotes of an answer (null when it abstained) do beside the right answer (null when the pages do not cover the question). */
export function answerFigures(quotes: readonly string[] | null, reference: string | null): AnswerFigures {
  const quoted = quotes === null ? null : quotes.join(' ')
  const holds = reference === null ? () => false : supports(reference)
  // Of the right answer's sentences, those that a quote holds; too short ones say nothing.
  const wanted = reference === null ? [] : sentences(reference).filter((sentence) => duplicateKey(sentence).split(' ').length >= 3)
  const said = quoted === null ? () => false : supports(quoted)
  const both = quoted !== null && reference !== null
  return {
    worth: worth(quoted, reference),
    rougeL: both ? rougeL(quoted, reference) : 0,
    exact: both && exactMatch(quoted, reference),
    right: quotes?.filter(holds).length ?? 0,
    quotes: quotes?.length ?? 0,
    found: wanted.filter(said).length,
    wanted: wanted.length,
  }
}

/**
 * Whether one way of answering the same cases is better than another by more than chance explains: by more than one standard error of the paired
 * differences. Below that the two are equals, and what was trained is kept.
 */
export function clearlyBetter(one: readonly number[], other: readonly number[]): boolean {
  const differences = one.map((value, index) => value - other[index]!)
  if (differences.length < 2) return false
  const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length
  const variance = differences.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (differences.length - 1)
  return mean > Math.sqrt(variance / differences.length)
}
