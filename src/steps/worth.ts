/**
 * What an answer is worth, and which sentences a reference answer supports: the two judgements that training, thresholds
 * and the exam share, so that they cannot drift apart.
 */
import { duplicateKey, sentences } from '../core/dataset.ts'
import { tokenF1 } from '../core/report.ts'

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
