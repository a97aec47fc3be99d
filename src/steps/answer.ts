/**
 * Package + input -> Answer: the arrow every query takes. classify scores the labels; answer judges the sentences of the
 * passages found, quotes those the adapter supports, and abstains when it supports none.
 * Knows nothing of payment, HTTP, or where the model came from.
 */
import type { Answer, AnswerPart, Citation } from '../core/answer.ts'
import type { Passage } from '../core/dataset.ts'
import { type Refusal, refuse } from '../core/errors.ts'
import { classifyPrompt, evidenceText, type Prompt, SUPPORTING, selectPrompt, windows } from '../core/prompt.ts'
import type { Spec } from '../core/spec.ts'
import type { Pinned, Quoting } from '../core/weights.ts'
import type { PassageIndex } from '../ports/retriever.ts'
import type { Scorer, Vocabulary } from '../ports/runtime.ts'
import { quoteByWords } from './baseline.ts'
import { decode, extraction, type TaggingExpert, tagCount, tagProbabilities, withTagger } from './extract.ts'
import { kindsOf, mixKinds, scoresOf } from './kinds.ts'
import { Likeness } from './likeness.ts'
import type { Matcher } from './match.ts'
import { aligned, type LoadedExpert, mix } from './mix.ts'
import { supports } from './worth.ts'
import { tooLongToWrite, writing } from './write.ts'

/** A model ready to answer: what the spec asked for, and the parts that run it. */
export type Served = {
  spec: Spec
  threshold: number | null
  vocabulary: Vocabulary
  scorer: Scorer
  /** answer: the index over the package's passages, and how well a passage matches a question. */
  index: PassageIndex | null
  match: Matcher | null
  /** answer: set when the sentences are found by words. */
  quoting?: Quoting | undefined
  /** answer, and classify with one label: what was put right by hand. */
  pinned?: Pins | undefined
  /** The classical part, when the model has one: of classify, or of extract. */
  expert: LoadedExpert | null
  tagger: TaggingExpert | null
  /** transform: tokens it may write at most. */
  mostTokens?: number | undefined
}

/** Labels a model of this spec tells apart: kinds, tags of words, or whether a sentence helps. */
export function labelCount(spec: Spec): number {
  if (spec.task === 'classify') return spec.multiLabel ? 2 : (spec.labels?.length ?? 0)
  return spec.task === 'extract' ? tagCount(spec.fields?.length ?? 0) : 2
}

/** Passages looked at for one question, at most ... */
export const PASSAGES = 8
/**
 * ... and the tokens read of them: with fewer left, no further passage is begun. English pages stay below it (1,354 for eight passages at most, in
 * four tasks); a script that the base spells by bytes would take five times as long to read.
 */
const READ_TOKENS = 2400
/** Passages read however long they are. */
const LEAST_PASSAGES = 2
/** Sentences quoted at most, so that an answer stays readable. */
export const QUOTES = 12
/** Tokens a prompt may need beside its text: markers and a begin token. */
const MARKERS = 6

/** One sentence of a retrieved passage with the adapter's probability that it supports an answer. */
export type Judged = { passage: Passage; rank: number; position: number; sentence: string; probability: number }

/** The vocabulary, read in windows of at most `tokens`: a model is served at the length it was trained at. */
export function shortened(vocabulary: Vocabulary, tokens: number): Vocabulary {
  return {
    count: (text) => vocabulary.count(text),
    labelTokens: (count) => vocabulary.labelTokens(count),
    contextLength: Math.min(vocabulary.contextLength, tokens),
  }
}

/** Cuts a text for classify into pieces that fit the base; one piece for all but long texts. */
export function classifyWindows(input: string, vocabulary: Vocabulary): string[] {
  return windows(input, vocabulary.contextLength - MARKERS, (piece) => vocabulary.count(piece))
}

/**
 * Probabilities of the labels for a text: the geometric mean over its windows, normalised.
 * @returns one number per label, summing to 1
 */
export async function classify(served: Pick<Served, 'vocabulary' | 'scorer'>, input: string, signal?: AbortSignal): Promise<number[]> {
  const prompts = classifyWindows(input, served.vocabulary).map((piece) => classifyPrompt(piece))
  const scored = await served.scorer.score(prompts, { signal })
  const sums = scored[0]![0]!.map((_, label) => scored.reduce((sum, reads) => sum + Math.log(Math.max(reads[0]![label]!, 1e-12)), 0) / scored.length)
  const largest = Math.max(...sums)
  const weights = sums.map((sum) => Math.exp(sum - largest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/** The neural probabilities with the classical part mixed in, in the order of `labels`. */
export function withExpert(expert: LoadedExpert | null, labels: readonly string[], input: string, neural: number[]): number[] {
  if (!expert) return neural
  return mix(neural, aligned(expert.baseline, labels, expert.baseline.scores([input])[0]!), expert.settings)
}

/**
 * Splits a passage's sentences into prompts that fit the base. A sentence longer than the room is windowed; its pieces
 * keep the sentence's position, so that nothing is cut silently.
 * @returns for each prompt, the sentence position of every read, and about how many tokens the sentences are
 */
export function selectPrompts(question: string, passage: Passage, vocabulary: Vocabulary): { sentences: string[]; positions: number[]; tokens: number }[] {
  const heading = `${passage.title}. ${passage.heading}`
  const room =
    vocabulary.contextLength - MARKERS - vocabulary.count(question) - vocabulary.count(`${heading}\n`) - vocabulary.count(evidenceText({ rank: 0, match: 1 }))
  const groups: { sentences: string[]; positions: number[]; tokens: number }[] = []
  let group = { sentences: [] as string[], positions: [] as number[] }
  let used = 0
  for (const [position, sentence] of passage.sentences.entries()) {
    for (const piece of windows(sentence, Math.max(8, room - 2), (text) => vocabulary.count(text))) {
      const cost = vocabulary.count(piece) + 1
      if (group.sentences.length && used + cost > room) {
        groups.push({ ...group, tokens: used })
        group = { sentences: [], positions: [] }
        used = 0
      }
      group.sentences.push(piece)
      group.positions.push(position)
      used += cost
    }
  }
  if (group.sentences.length) groups.push({ ...group, tokens: used })
  return groups
}

/** Refuses a question that leaves no room for a passage beside it. */
export function tooLong(question: string, vocabulary: Vocabulary): Refusal | undefined {
  const tokens = vocabulary.count(question)
  const most = Math.floor(vocabulary.contextLength / 2)
  if (tokens <= most) return undefined
  return refuse('question_too_long', `The question has ${tokens} tokens, and this model reads at most ${most}.`, 'Ask in fewer words.')
}

/** Refuses an input that this model cannot read; long texts to classify or to extract from are read in parts. */
export function unreadable({ spec, vocabulary }: Pick<Served, 'spec' | 'vocabulary'>, input: string): Refusal | undefined {
  if (spec.task === 'answer') return tooLong(input, vocabulary)
  return spec.task === 'transform' ? tooLongToWrite(input, vocabulary) : undefined
}

/** Judges every sentence of the passages found for a question. Sentences come in the order of passage rank, then text. */
export async function judge(served: Pick<Served, 'vocabulary' | 'scorer' | 'index' | 'match'>, question: string, signal?: AbortSignal): Promise<Judged[]> {
  const found = served.index?.search(question, PASSAGES) ?? []
  let left = READ_TOKENS
  const plans = found.flatMap(({ passage }, rank) => {
    if (rank >= LEAST_PASSAGES && left <= 0) return []
    const groups = selectPrompts(question, passage, served.vocabulary)
    left -= groups.reduce((sum, { tokens }) => sum + tokens, 0)
    return groups.map((group) => ({ passage, rank, ...group }))
  })
  const prompts: Prompt[] = plans.map((plan) =>
    selectPrompt(question, { rank: plan.rank, match: served.match!(question, plan.passage) }, `${plan.passage.title}. ${plan.passage.heading}`, plan.sentences),
  )
  const scored = await served.scorer.score(prompts, { signal })
  const best = new Map<string, Judged>()
  for (const [index, plan] of plans.entries())
    for (const [read, position] of plan.positions.entries()) {
      const probability = scored[index]![read]![SUPPORTING]!
      const key = `${plan.rank}:${position}`
      const known = best.get(key)
      if (!known || probability > known.probability)
        best.set(key, { passage: plan.passage, rank: plan.rank, position, sentence: plan.passage.sentences[position]!, probability })
    }
  return [...best.values()]
}

/** Quotes the sentences above the threshold, best {@link QUOTES} of them, in reading order; abstains when there are none. */
export function quote(judged: readonly Judged[], threshold: number, language: string): Answer {
  const chosen = judged
    .filter(({ probability }) => probability >= threshold)
    .sort((a, b) => b.probability - a.probability)
    .slice(0, QUOTES)
    .sort((a, b) => a.rank - b.rank || a.position - b.position)
  const citations = chosen.map(
    ({ passage, sentence, probability }): Citation => ({
      quote: sentence,
      title: passage.title,
      heading: passage.heading,
      file: passage.source.file,
      ...(passage.source.url === undefined ? {} : { url: passage.source.url }),
      probability,
    }),
  )
  return quotedAnswer(citations, language)
}

/** Quotes as an answer; none is an abstention. */
function quotedAnswer(citations: Citation[], language: string): Answer {
  if (!citations.length) return { text: abstention(language), citations: [], abstained: true }
  return { text: paragraphs(citations).join('\n\n'), citations, abstained: false }
}

/** Corrections as labels: a text in nearly the words of one that was put right has the label that the expert gave it, whatever the weights say. */
export function pinnedLabels(pinned: readonly Pinned[], labels: readonly string[]): Pins {
  const known = new Likeness()
  for (const { question } of pinned) known.add(question)
  return (asked) => {
    const place = known.find(asked).at(-1)
    const right = place === undefined ? null : pinned[place]!.answer
    if (right === null || !labels.includes(right)) return undefined
    const others = labels.filter((label) => label !== right).map((label) => ({ label, probability: 0 }))
    return { text: right, label: right, scores: [{ label: right, probability: 1 }, ...others], citations: [], abstained: false }
  }
}

/** What was put right by hand for a question, or undefined where nothing was. */
export type Pins = (question: string, language: string) => Answer | undefined

/**
 * Corrections as answers: a question in nearly the words of one that was put right is answered by the sentences of the pages that support what the
 * expert said, the same for ever; or not at all, where the expert said that the pages do not cover it.
 */
export function pinnedAnswers(pinned: readonly Pinned[], passages: readonly Passage[]): Pins {
  const known = new Likeness()
  for (const { question } of pinned) known.add(question)
  return (asked, language) => {
    const place = known.find(asked).at(-1)
    if (place === undefined) return undefined
    const { answer: right } = pinned[place]!
    if (right === null) return quotedAnswer([], language)
    const holds = supports(right)
    const citations = passages.flatMap(({ sentences, title, heading, source }) =>
      sentences
        .filter(holds)
        .map((quote): Citation => ({ quote, title, heading, file: source.file, ...(source.url === undefined ? {} : { url: source.url }), probability: 1 })),
    )
    // What the pages do not say word for word is no quotation; then the model answers as it has learned to.
    return citations.length ? quotedAnswer(citations.slice(0, QUOTES), language) : undefined
  }
}

/** What a model whose sentences are found by words says. */
export function quotedByWords(words: { index: PassageIndex; match: Matcher }, quoting: Quoting, question: string, language: string): Answer {
  return quotedAnswer(quoteByWords(words, quoting, question) ?? [], language)
}

/** One paragraph per source: the quoted sentences, then where they stand. */
export function paragraphs(citations: readonly Citation[]): string[] {
  const texts: string[] = []
  for (let index = 0; index < citations.length; ) {
    const first = citations[index]!
    const quotes: string[] = []
    while (index < citations.length && citations[index]!.file === first.file && citations[index]!.heading === first.heading)
      quotes.push(citations[index++]!.quote)
    texts.push(`“${quotes.join(' ')}” [${first.title}: ${first.heading}, ${first.url ?? first.file}]`)
  }
  return texts
}

/** What a model says when nothing in the pages supports an answer, in the language it answers in. */
const ABSTENTIONS: Record<string, string> = {
  de: 'Die vorliegenden Seiten beantworten diese Frage nicht.',
  en: 'The pages I was given do not cover this question.',
  es: 'Las páginas que me dieron no tratan esta pregunta.',
  fr: 'Les pages qui m’ont été données ne traitent pas cette question.',
  hi: 'मुझे दिए गए पन्नों में इस प्रश्न का उत्तर नहीं है।',
  id: 'Halaman yang diberikan kepada saya tidak membahas pertanyaan ini.',
  pt: 'As páginas que recebi não tratam desta pergunta.',
  sw: 'Kurasa nilizopewa hazijibu swali hili.',
}
export function abstention(language: string): string {
  return ABSTENTIONS[language.split('-')[0]!] ?? ABSTENTIONS.en!
}

/** The answer to one input, part by part, the whole answer last. @throws {RangeError} only for what {@link unreadable} refuses. */
export async function* answer(served: Served, input: string, signal?: AbortSignal): AsyncGenerator<AnswerPart> {
  const language = served.spec.outputLanguage[0] ?? served.spec.language[0] ?? 'en'
  if (served.spec.task === 'classify' && served.spec.multiLabel) {
    const kinds = served.spec.labels!
    const neural = await kindsOf(served, input, kinds, signal)
    const { expert } = served
    const mixed = expert ? mixKinds(neural, scoresOf(expert.baseline, kinds, expert.baseline.scores([input])[0]!), expert.settings) : neural
    const scores = mixed.map((probability, index) => ({ label: kinds[index]!, probability })).sort((a, b) => b.probability - a.probability)
    const labels = scores.filter(({ probability }) => probability >= (served.threshold ?? 0.5)).map(({ label }) => label)
    const text = labels.join('; ') || 'none'
    yield { delta: text }
    yield { answer: { text, labels, scores, citations: [], abstained: false } }
    return
  }
  if (served.spec.task === 'classify') {
    const right = served.pinned?.(input, language)
    if (right) {
      yield { delta: right.text }
      yield { answer: right }
      return
    }
    const probabilities = withExpert(served.expert, served.spec.labels!, input, await classify(served, input, signal))
    const scores = probabilities
      .map((probability, index) => ({ label: served.spec.labels![index]!, probability }))
      .sort((a, b) => b.probability - a.probability)
    const label = scores[0]!.label
    yield { delta: label }
    yield { answer: { text: label, label, scores, citations: [], abstained: false } }
    return
  }
  if (served.spec.task === 'extract') {
    const types = served.spec.fields!
    const { words, probabilities } = await tagProbabilities(served, input, types, signal)
    const found = extraction(input, decode(words, withTagger(served.tagger, words, probabilities), types), types)
    yield { delta: found.text }
    yield { answer: found }
    return
  }
  if (served.spec.task === 'transform') {
    let text = ''
    for await (const piece of writing({ ...served, mostTokens: served.mostTokens ?? served.vocabulary.contextLength }, input, signal)) {
      // What is written begins with a letter, not with the space before it.
      const shown = text ? piece : piece.trimStart()
      text += shown
      if (shown) yield { delta: shown }
    }
    yield { answer: { text: text.trimEnd(), citations: [], abstained: false } }
    return
  }
  const { index, match, quoting, pinned } = served
  const whole =
    pinned?.(input, language) ??
    (quoting && index && match
      ? quotedByWords({ index, match }, quoting, input, language)
      : quote(await judge(served, input, signal), served.threshold ?? 0.5, language))
  // Whole at once: what an abstention costs is not what an answer costs, and nothing is sent before that is known.
  const pieces = whole.abstained ? [] : paragraphs(whole.citations)
  for (const [index, piece] of pieces.entries()) yield { delta: index ? `\n\n${piece}` : piece }
  yield { answer: whole }
}
