/**
 * Text -> entities: every word is read with the whole text before it, its tag is one of outside, begins or goes on (BIO), and runs of
 * tags become what was found. Training, serving and the exam share what is here. Knows nothing of where examples come from.
 */
import type { Answer } from '../core/answer.ts'
import type { Entity, Example } from '../core/dataset.ts'
import { type Prompt, tagPrompt } from '../core/prompt.ts'
import { type Word, wordsOf } from '../core/spans.ts'
import type { Scorer, Vocabulary } from '../ports/runtime.ts'
import type { FittedTagger, LoadedTagger, Tagger } from '../ports/tagger.ts'
import { type LoadedExpert, mix } from './mix.ts'

/** The classical part of an extracting model. */
export type TaggingExpert = { settings: LoadedExpert['settings']; tagger: LoadedTagger }

/** Tokens a prompt may need beside its text and words. */
const MARKERS = 6

/** Tags of so many types: outside, and for each type begins and goes on. */
export const tagCount = (types: number): number => 1 + 2 * types
const begins = (type: number): number => 1 + 2 * type
const goesOn = (type: number): number => 2 + 2 * type

/** The tag of every word. An entity of a type that is not asked for is outside. */
export function tagsOf(words: readonly Word[], entities: readonly Entity[], types: readonly string[]): number[] {
  const tags = words.map(() => 0)
  for (const { type, start, end } of entities) {
    const number = types.indexOf(type)
    if (number < 0) continue
    let first = true
    for (const [index, word] of words.entries()) {
      if (word.end <= start || word.start >= end) continue
      tags[index] = first ? begins(number) : goesOn(number)
      first = false
    }
  }
  return tags
}

/** Runs of words that fit the base together with the text they stand in; one for all but long texts. */
export function tagWindows(text: string, words: readonly Word[], vocabulary: Vocabulary): { text: string; words: Word[] }[] {
  const room = vocabulary.contextLength - MARKERS
  const cost = (piece: string) => vocabulary.count(piece)
  const windows: { text: string; words: Word[] }[] = []
  let open: Word[] = []
  let used = 0
  const close = () => {
    if (open.length) windows.push({ text: text.slice(open[0]!.start, open.at(-1)!.end), words: open })
    open = []
    used = 0
  }
  for (const word of words) {
    // Once in the text, once to be read; a word too long for the base is cut, as nothing in it can be told apart.
    const shown = cost(` ${word.text}`)
    const each = 2 * shown + 1
    if (each > room) continue
    if (used + each > room) close()
    open.push(word)
    used += each
  }
  close()
  return windows
}

/** The prompts an example teaches with. */
export function tagPrompts(text: string, entities: readonly Entity[], types: readonly string[], vocabulary: Vocabulary): Prompt[] {
  const words = wordsOf(text)
  const tags = new Map(tagsOf(words, entities, types).map((tag, index) => [words[index]!, tag]))
  return tagWindows(text, words, vocabulary).map((window) =>
    tagPrompt(
      window.text,
      window.words.map((word) => word.text),
      window.words.map((word) => tags.get(word)!),
    ),
  )
}

/** Words with the probabilities of their tags by the model alone; words that could not be read are outside. */
export async function tagProbabilities(
  served: { vocabulary: Vocabulary; scorer: Scorer },
  text: string,
  types: readonly string[],
  signal?: AbortSignal,
): Promise<{ words: Word[]; probabilities: number[][] }> {
  const words = wordsOf(text)
  const windows = tagWindows(text, words, served.vocabulary)
  const scored = await served.scorer.score(
    windows.map((window) =>
      tagPrompt(
        window.text,
        window.words.map((word) => word.text),
      ),
    ),
    { signal },
  )
  const found = new Map<Word, number[]>()
  for (const [index, window] of windows.entries()) for (const [place, word] of window.words.entries()) found.set(word, scored[index]![place]!)
  const outside = [1, ...Array.from({ length: 2 * types.length }, () => 0)]
  return { words, probabilities: words.map((word) => found.get(word) ?? outside) }
}

/** The model's probabilities with the classical part's say. */
export function withTagger(expert: TaggingExpert | null, words: readonly Word[], probabilities: number[][]): number[][] {
  if (!expert) return probabilities
  const scores = expert.tagger.scores(words.map((word) => word.text))
  return probabilities.map((row, index) => mix(row, scores[index]!, expert.settings))
}

export type FoundEntity = Entity & { probability: number }

/**
 * The likeliest tags in which a type goes on only after it began (Viterbi over that constraint alone), as entities. The
 * probability is the lowest of the entity's words.
 */
export function decode(words: readonly Word[], probabilities: readonly (readonly number[])[], types: readonly string[]): FoundEntity[] {
  const tags = tagCount(types.length)
  const allowed = (from: number, to: number): boolean => to === 0 || to % 2 === 1 || from === to || from === to - 1
  let scores = Array.from({ length: tags }, (_, tag) =>
    tag % 2 === 0 && tag > 0 ? Number.NEGATIVE_INFINITY : Math.log(Math.max(probabilities[0]?.[tag] ?? 1, 1e-12)),
  )
  const back: number[][] = []
  for (const row of probabilities.slice(1)) {
    const from: number[] = []
    const before = scores
    scores = Array.from({ length: tags }, (_, tag) => {
      let best = 0
      let value = Number.NEGATIVE_INFINITY
      for (let earlier = 0; earlier < tags; earlier++)
        if (allowed(earlier, tag) && before[earlier]! > value) {
          value = before[earlier]!
          best = earlier
        }
      from.push(best)
      return value + Math.log(Math.max(row[tag]!, 1e-12))
    })
    back.push(from)
  }
  const path = words.map(() => 0)
  if (!words.length) return []
  path[words.length - 1] = scores.indexOf(Math.max(...scores))
  for (let index = words.length - 2; index >= 0; index--) path[index] = back[index]![path[index + 1]!]!
  const entities: FoundEntity[] = []
  for (const [index, tag] of path.entries()) {
    if (tag === 0) continue
    const { start, end } = words[index]!
    const probability = probabilities[index]![tag]!
    const last = entities.at(-1)
    if (tag % 2 === 0 && last) {
      last.end = end
      last.probability = Math.min(last.probability, probability)
    } else entities.push({ type: types[(tag - 1) >> 1]!, start, end, probability })
  }
  return entities
}

/** The tagger fitted on what stands in examples. */
export function fitTagger(
  ports: { tagger: Tagger },
  options: { types: readonly string[]; training: readonly Example[]; practice: readonly Example[]; signal?: AbortSignal | undefined },
): Promise<FittedTagger> {
  const tagged = (examples: readonly Example[]) =>
    examples.map((example) => {
      const words = wordsOf(example.input)
      return { words: words.map((word) => word.text), tags: tagsOf(words, example.entities ?? [], options.types) }
    })
  return ports.tagger.fit({
    ...{ training: tagged(options.training), practice: tagged(options.practice), tags: tagCount(options.types.length), signal: options.signal },
  })
}

/** What was found as an answer: a JSON object with every type, each a list of what stands in the text, each once. */
export function extraction(text: string, found: readonly FoundEntity[], types: readonly string[]): Answer {
  const lists = Object.fromEntries(
    types.map((type) => [type, [...new Set(found.filter((one) => one.type === type).map(({ start, end }) => text.slice(start, end)))]]),
  )
  return { text: JSON.stringify(lists), entities: found.map((one) => ({ ...one, text: text.slice(one.start, one.end) })), citations: [], abstained: false }
}
