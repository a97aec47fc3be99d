/**
 * Prompt: the one template that training and serving share, as segments before tokenisation.
 * A `read` segment marks a place where the model's next-token distribution over the label tokens is read (serving) or
 * trained (training). Knows nothing of vocabularies; the drivers turn segments into tokens.
 */

export type Segment =
  /** A `learned` text is what the model shall learn to write: in training every token of it is a target. Serving reads it as any text. */
  | { readonly kind: 'text'; readonly text: string; readonly learned?: true }
  | { readonly kind: 'special'; readonly token: 'start' | 'end'; readonly learned?: true }
  /**
   * Read the distribution after the token before this. `label` is the index of the right label, when known. `labels` are
   * the indices it is told apart from, its own among them: one task's labels where a model learns several; without it, all.
   */
  | { readonly kind: 'read'; readonly label?: number; readonly weight?: number; readonly labels?: readonly number[] }

export type Prompt = readonly Segment[]

const text = (value: string): Segment => ({ kind: 'text', text: value })
const start: Segment = { kind: 'special', token: 'start' }
const end: Segment = { kind: 'special', token: 'end' }

/** classify: the text between the chat markers, then one read. `label` is an index into the spec's labels. */
export function classifyPrompt(input: string, label?: number): Prompt {
  return [start, text(input), end, label === undefined ? { kind: 'read' } : { kind: 'read', label }]
}

/** Index of the two labels a sentence can get in {@link selectPrompt}. */
export const NOT_SUPPORTING = 0
export const SUPPORTING = 1

/** What retrieval found of a question in a passage, told to the model in digits: a small base cannot count matching words itself. */
export type Evidence = {
  /** Place among the passages found, from 0. */
  rank: number
  /** Share of the question's weight (inverse document frequency) that the passage holds, 0 to 1. */
  match: number
}

/**
 * answer: the question, how well the passage matches it, the passage's heading, then each sentence followed by a marker at
 * which the model says whether that sentence helps answer the question. One forward pass judges every sentence.
 */
export function selectPrompt(
  question: string,
  evidence: Evidence,
  heading: string,
  sentences: readonly string[],
  labels?: readonly (0 | 1)[],
  weights?: readonly number[],
): Prompt {
  const prompt: Segment[] = [start, text(question), end, text(evidenceText(evidence)), text(`${heading}\n`)]
  for (const [index, sentence] of sentences.entries()) {
    prompt.push(text(sentence), end)
    const label = labels?.[index]
    const weight = weights?.[index]
    prompt.push(label === undefined ? { kind: 'read' } : weight === undefined ? { kind: 'read', label } : { kind: 'read', label, weight })
  }
  return prompt
}

/**
 * classify into several kinds at once: the text between the chat markers, then each kind followed by a marker at which the model
 * says whether it holds.
 */
export function kindsPrompt(input: string, kinds: readonly string[], held?: readonly boolean[], weight = 1): Prompt {
  const prompt: Segment[] = [start, text(input), end]
  for (const [index, kind] of kinds.entries()) {
    prompt.push(text(` ${kind}`), end)
    prompt.push(held === undefined ? { kind: 'read' } : { kind: 'read', label: held[index] ? SUPPORTING : NOT_SUPPORTING, weight })
  }
  return prompt
}

/**
 * extract: the text between the chat markers, then its words one by one, each read after its last token: so every word is judged
 * with all of the text before it, what follows it included. `tags` are numbers of labels.
 */
export function tagPrompt(input: string, words: readonly string[], tags?: readonly number[]): Prompt {
  const prompt: Segment[] = [start, text(input), end]
  for (const [index, word] of words.entries()) {
    prompt.push(text(` ${word}`))
    prompt.push(tags === undefined ? { kind: 'read' } : { kind: 'read', label: tags[index]! })
  }
  return prompt
}

/**
 * transform: the text between the chat markers, then what is to be written and the marker that ends it. Without `output` the prompt ends where
 * the model begins to write.
 */
export function writePrompt(input: string, output?: string): Prompt {
  const prompt: Segment[] = [start, text(input), end]
  if (output !== undefined) prompt.push({ kind: 'text', text: output, learned: true }, { kind: 'special', token: 'end', learned: true })
  return prompt
}

/** Tenths of the match and the place, one digit each: `9 1 `. */
export function evidenceText({ rank, match }: Evidence): string {
  return `${Math.min(9, Math.floor(match * 10))} ${Math.min(9, rank + 1)} `
}

/**
 * Cuts a text into windows of at most `maximumTokens`, at word boundaries, so that nothing is silently lost.
 * `count` gives the number of tokens of a piece of text in the model's own vocabulary.
 */
export function windows(input: string, maximumTokens: number, count: (piece: string) => number): string[] {
  if (count(input) <= maximumTokens) return [input]
  const words = input.split(/(?<=\s)/)
  const pieces: string[] = []
  let piece = ''
  for (const word of words) {
    if (piece && count(piece + word) > maximumTokens) {
      pieces.push(piece)
      piece = ''
    }
    if (count(word) <= maximumTokens) {
      piece += word
      continue
    }
    // A "word" longer than a whole window (no spaces, or an unspaced script): cut by code points.
    for (const character of word) {
      if (piece && count(piece + character) > maximumTokens) {
        pieces.push(piece)
        piece = ''
      }
      piece += character
    }
  }
  if (piece) pieces.push(piece)
  return pieces
}
