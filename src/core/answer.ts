/**
 * Answer: what a model says to one input, as it streams and when it is whole. Knows nothing of HTTP or payment.
 */

/** One quoted sentence and where it stands. */
export type Citation = { quote: string; title: string; heading: string; file: string; url?: string | undefined; probability: number }

export type Answer = {
  text: string
  /** classify: the chosen label and the probabilities of all labels, highest first. */
  label?: string | undefined
  /** classify where several may hold: the kinds that do. */
  labels?: string[] | undefined
  scores?: { label: string; probability: number }[] | undefined
  /** extract: what was found and where it stands in the text. */
  entities?: { type: string; text: string; start: number; end: number; probability: number }[] | undefined
  /** answer: the quoted sentences in reading order. */
  citations: Citation[]
  /** True when nothing in the pages supports an answer and the model said so. */
  abstained: boolean
}

/** A piece of the answer's text, or, last of all, the whole answer. */
export type AnswerPart = { delta: string } | { answer: Answer }
