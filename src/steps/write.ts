/**
 * Text -> text: what a transforming model learns from, how it writes, and the cheap ways it is measured beside. Training, serving and the
 * exam share what is here. Knows nothing of where pairs come from.
 */
import type { Example, Passage } from '../core/dataset.ts'
import { type Refusal, refuse } from '../core/errors.ts'
import { hashText } from '../core/id.ts'
import { characterTally, chrF } from '../core/overlap.ts'
import { type Prompt, writePrompt } from '../core/prompt.ts'
import type { Spec } from '../core/spec.ts'
import type { Retriever } from '../ports/retriever.ts'
import type { Scorer, Vocabulary } from '../ports/runtime.ts'

/** Tokens a prompt may need beside its text: markers and a begin token. */
const MARKERS = 4
/** Room beyond the longest text learned from: what is written may be somewhat longer. */
const SLACK = 1.5
const LEAST = 32

/** What one pair teaches with; nothing when it does not fit the base whole, as half a text is another text. */
export function writingPrompts(example: Example, vocabulary: Vocabulary): Prompt[] {
  const { input, output = '' } = example
  const cost = vocabulary.count(input) + vocabulary.count(output) + MARKERS
  return cost > vocabulary.contextLength || !output ? [] : [writePrompt(input, output)]
}

/** Tokens a model that learned from these pairs may write at most. */
export function mostWritten(examples: readonly Example[], vocabulary: Vocabulary): number {
  const longest = examples.reduce((most, { output = '' }) => Math.max(most, vocabulary.count(output)), 0)
  return Math.min(Math.max(LEAST, Math.ceil(longest * SLACK)), Math.max(1, vocabulary.contextLength - MARKERS))
}

/** Refuses a text that leaves less room to write in than it fills itself. */
export function tooLongToWrite(input: string, vocabulary: Vocabulary): Refusal | undefined {
  const tokens = vocabulary.count(input)
  const most = Math.floor((vocabulary.contextLength - MARKERS) / 2)
  if (tokens <= most) return undefined
  return refuse('text_too_long', `The text has ${tokens} tokens, and this model reads at most ${most} at once.`, 'Send it in parts.')
}

/** The model's text for an input, piece by piece. */
export function writing(
  served: { scorer: Pick<Scorer, 'write'>; vocabulary: Vocabulary; mostTokens: number },
  input: string,
  signal?: AbortSignal,
): AsyncIterable<string> {
  return served.scorer.write(writePrompt(input), { mostTokens: served.mostTokens, signal })
}

/** The same, whole. */
export async function written(...arguments_: Parameters<typeof writing>): Promise<string> {
  let text = ''
  for await (const piece of writing(...arguments_)) text += piece
  return text.trim()
}

/** What the base alone is asked: the expert's words, then the text. */
export function promptedInput(spec: Spec, input: string): string {
  return `${spec.words}\n\n${input}\n`
}

export type CheapWriter = { what: string; write: (input: string) => string }

/**
 * What needs no model: the text itself, or what became of the likest text learned from; whichever comes nearer on practice, by chrF.
 */
export function cheapWriter(
  ports: { retriever: Retriever },
  options: { training: readonly Example[]; practice: readonly Example[]; language: string },
): CheapWriter {
  const outputs = new Map<string, string>()
  const passages = options.training.map(({ input, output = '' }, index): Passage => {
    const id = hashText(`${index} ${input}`)
    outputs.set(id, output)
    return { id, title: '', heading: '', sentences: [input], source: { file: '' } }
  })
  const index = ports.retriever.index(passages, options.language)
  const recall = (input: string) => outputs.get(index.search(input, 1)[0]?.passage.id ?? '') ?? input
  const writers: CheapWriter[] = [
    { what: 'the text as it came', write: (input) => input },
    { what: 'what became of the likest example', write: recall },
  ]
  const score = ({ write }: CheapWriter) => chrF(options.practice.map(({ input, output = '' }) => characterTally(write(input), output)))
  return writers.reduce((best, one) => (score(one) > score(best) ? one : best))
}
