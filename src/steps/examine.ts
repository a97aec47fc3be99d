/**
 * Weights + sealed exam -> Report: the tuned model, the base model and a strong cheap baseline answer the same cases
 * through the runtime that will serve them, and are scored with intervals.
 * It never trains and never chooses: thresholds and baselines were fixed on practice.
 */

import type { Answer } from '../core/answer.ts'
import type { Dataset, Exam, Example } from '../core/dataset.ts'
import { examId } from '../core/dataset.ts'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { leafOf, openedExam, rootOf, sealed } from '../core/exam.ts'
import { scored } from '../core/gate.ts'
import { canonical, type Id } from '../core/id.ts'
import type { Serving } from '../core/package.ts'
import type { Prompt } from '../core/prompt.ts'
import { type Arm, BOOTSTRAP, type Report } from '../core/report.ts'
import { type Kind, rounded, type Said, type Sheet, textFigures } from '../core/sheet.ts'
import type { Spec } from '../core/spec.ts'
import { type Quoting, servedFrom, type Weights, weightsId } from '../core/weights.ts'
import type { Baseline } from '../ports/baseline.ts'
import type { Retriever } from '../ports/retriever.ts'
import type { Runtime, Scorer, Vocabulary } from '../ports/runtime.ts'
import type { Store } from '../ports/store.ts'
import type { Tagger } from '../ports/tagger.ts'
import { classify, judge, quote, quotedByWords, shortened, tooLong, withExpert } from './answer.ts'
import { quoteBaseline, whatBaselineIs } from './baseline.ts'
import { decode, type FoundEntity, fitTagger, tagProbabilities, withTagger } from './extract.ts'
import { chooseKindThreshold, fitKinds, heldOf, kindsOf, MARGINS, mixKinds, PROBABILITIES, scoresOf } from './kinds.ts'
import { matcher } from './match.ts'
import { chooseThreshold } from './train.ts'
import { answerFigures } from './worth.ts'
import { cheapWriter, mostWritten, promptedInput, tooLongToWrite, written } from './write.ts'

export type ExamineOptions = {
  spec: Spec
  dataset: Dataset
  exam: Exam
  weights: Weights
  /** How the model will be served, and is examined. */
  serving?: Serving | null
  /** How the exam was sealed before the training; without it, by the exam's own salt, and nowhere committed. */
  sitting?: Sitting | undefined
  basePath: string
  now: () => number
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, of: number) => void) | undefined
}

/** One version's sitting of a sealed exam: the salt of its seal, when the chain had its root, and which attempt this is. */
export type Sitting = { salt: Id; committedAt: number | null; attempt: number }

/** The arms by name with what each is, and what each said to every case. */
type Arms = { arms: Pick<Arm, 'name' | 'what'>[]; said: Partial<Record<Arm['name'], Said[]>> }

export async function examine(
  ports: { runtime: Runtime; retriever: Retriever; baseline: Baseline; tagger: Tagger; store: Store },
  options: ExamineOptions,
): Promise<Report | Refusal> {
  const { spec, exam, weights } = options
  const full = await ports.runtime.vocabulary(options.basePath)
  if (isRefusal(full)) return full
  const vocabulary = shortened(full, weights.recipe.maximumTokens)
  const serving = options.serving?.settings ?? { contextTokens: weights.recipe.maximumTokens }
  const served = servedFrom(weights.kind, { base: options.basePath, weights: await ports.store.path(weights.adapter) })
  const tuned = await ports.runtime.open({ ...served, labelTokens: weights.labelTokens, serving })
  if (isRefusal(tuned)) return tuned
  const base = await ports.runtime.open({ base: options.basePath, adapter: null, labelTokens: weights.labelTokens, serving })
  if (isRefusal(base)) {
    await tuned.close()
    return base
  }
  try {
    const milliseconds: number[] = []
    const trained = weights.kind === 'model' ? 'the fully trained model' : 'the trained adapter'
    const several = spec.task === 'classify' && spec.multiLabel
    const arms = several
      ? await examineKinds()
      : spec.task === 'classify'
        ? await examineLabels()
        : spec.task === 'extract'
          ? await examineWords()
          : spec.task === 'transform'
            ? await examineTexts()
            : await examineAnswers()
    const cases = sealed(openedExam(exam.cases, options.sitting?.salt ?? exam.salt))
    const sheet: Sheet = {
      format: 'modelfactory/sheet@1',
      kind: kindOf(spec),
      ...(spec.labels ? { labels: spec.labels } : {}),
      ...{ examId: examId(exam), weightsId: weightsId(weights), root: rootOf(cases.map(leafOf)), cases, arms: arms.said as Sheet['arms'] },
    }
    const { n, metric, arms: figures, verdict } = scored(sheet, arms.arms)
    milliseconds.sort((a, b) => a - b)
    return {
      ...{ weightsId: sheet.weightsId, examId: sheet.examId, n, metric, arms: figures },
      predictions: await ports.store.put(new TextEncoder().encode(canonical(sheet))),
      latencyMs: Math.round((milliseconds[milliseconds.length >> 1] ?? 0) * 10) / 10,
      root: sheet.root,
      ...(options.sitting ? { committedAt: options.sitting.committedAt, attempt: options.sitting.attempt } : {}),
      ...{ bootstrap: BOOTSTRAP, verdict },
    }

    async function examineLabels(): Promise<Arms> {
      const labels = spec.labels!
      const pick = (probabilities: number[]): Said => {
        const confidence = Math.max(...probabilities)
        return { label: labels[probabilities.indexOf(confidence)]!, confidence: rounded(confidence) }
      }
      // The classical part is read back from the store, so that what is examined is what will be served.
      const expert = weights.expert && { settings: weights.expert, baseline: ports.baseline.load(await ports.store.get(weights.expert.file)) }
      const said: Record<'tuned' | 'neural' | 'classical' | 'base' | 'baseline', Said[]> = { tuned: [], neural: [], classical: [], base: [], baseline: [] }
      for (const [index, example] of exam.cases.entries()) {
        const began = options.now()
        const neural = await classify({ vocabulary: vocabulary, scorer: tuned as Scorer }, example.input, options.signal)
        said.tuned.push(pick(withExpert(expert, labels, example.input, neural)))
        milliseconds.push(options.now() - began)
        said.neural.push(pick(neural))
        if (expert) said.classical.push({ label: expert.baseline.predict([example.input])[0]! })
        said.base.push({ label: await promptedLabel(base as Scorer, vocabulary, labels, example.input) })
        options.onProgress?.(index + 1, exam.cases.length)
      }
      const labelled = (examples: readonly Example[]) => examples.map((example) => ({ input: example.input, label: example.label! }))
      const fitted = await ports.baseline.fit({
        training: labelled(options.dataset.training),
        practice: labelled(options.dataset.practice),
        signal: options.signal,
      })
      said.baseline = fitted.predict(exam.cases.map((example) => example.input)).map((label) => ({ label }))
      return {
        arms: [
          {
            name: 'tuned',
            what: expert
              ? `the model as served: ${trained} with ${Math.round(100 * expert.settings.share)} % say for n-grams`
              : `${trained}${weights.kind === 'adapter' ? ' on the base' : ''}`,
          },
          ...(expert
            ? [
                { name: 'neural' as const, what: `${trained} alone` },
                { name: 'classical' as const, what: weights.expert!.what },
              ]
            : []),
          { name: 'base', what: 'the base model alone, prompted in words' },
          { name: 'baseline', what: ports.baseline.what },
        ],
        said: expert ? said : { tuned: said.tuned, base: said.base, baseline: said.baseline },
      }
    }

    /** Whether each kind holds, by the trained model, by the base with a threshold of its own, and by n-grams with theirs. */
    async function examineKinds(): Promise<Arms> {
      const labels = spec.labels!
      const { training, practice } = options.dataset
      const expert = weights.expert && { settings: weights.expert, baseline: ports.baseline.load(await ports.store.get(weights.expert.file)) }
      const threshold = weights.threshold ?? 0.5
      const above = (values: readonly number[], least: number): Said => ({ labels: labels.filter((_, index) => values[index]! >= least) })
      const surely = (values: readonly number[], least: number): Said => ({ ...above(values, least), probabilities: values.map(rounded) })
      const held = practice.map((example) => heldOf(example, labels))
      const fitted = await fitKinds(ports, { training, practice, signal: options.signal })
      const cheap = chooseKindThreshold(
        held.map((one, index) => ({ held: one, values: scoresOf(fitted, labels, fitted.practiceScores[index]!) })),
        MARGINS,
      )
      const untrained = { vocabulary, scorer: base as Scorer }
      const seen: number[][] = []
      for (const example of practice) seen.push(await kindsOf(untrained, example.input, labels, options.signal))
      const baseThreshold = chooseKindThreshold(
        held.map((one, index) => ({ held: one, values: seen[index]! })),
        PROBABILITIES,
      )
      const said: Record<'tuned' | 'neural' | 'base' | 'baseline', Said[]> = { tuned: [], neural: [], base: [], baseline: [] }
      for (const [index, { input }] of exam.cases.entries()) {
        const began = options.now()
        const neural = await kindsOf({ vocabulary, scorer: tuned as Scorer }, input, labels, options.signal)
        const mixed = expert ? mixKinds(neural, scoresOf(expert.baseline, labels, expert.baseline.scores([input])[0]!), expert.settings) : neural
        said.tuned.push(surely(mixed, threshold))
        milliseconds.push(options.now() - began)
        said.neural.push(surely(neural, threshold))
        said.base.push(surely(await kindsOf(untrained, input, labels, options.signal), baseThreshold))
        said.baseline.push(above(scoresOf(fitted, labels, fitted.scores([input])[0]!), cheap))
        options.onProgress?.(index + 1, exam.cases.length)
      }
      return {
        arms: [
          {
            name: 'tuned',
            what: expert
              ? `the model as served: ${trained} with ${Math.round(100 * expert.settings.share)} % say for n-grams`
              : `${trained} says of each kind whether it holds`,
          },
          ...(expert ? [{ name: 'neural' as const, what: `${trained} alone` }] : []),
          { name: 'base', what: 'the same with the untrained base' },
          { name: 'baseline', what: ports.baseline.what },
        ],
        said: withoutNeural(said, expert),
      }
    }

    /** Every word of every text read by the trained model, by the base, and by the tagger alone. */
    async function examineWords(): Promise<Arms> {
      const types = spec.fields!
      const expert = weights.expert && { settings: weights.expert, tagger: ports.tagger.load(await ports.store.get(weights.expert.file)) }
      const cheap = await fitTagger(ports, { types, training: options.dataset.training, practice: options.dataset.practice, signal: options.signal })
      const found = (entities: readonly FoundEntity[]): Said => ({ entities: entities.map((one) => ({ ...one, probability: rounded(one.probability) })) })
      const said: Record<'tuned' | 'neural' | 'base' | 'baseline', Said[]> = { tuned: [], neural: [], base: [], baseline: [] }
      for (const [index, { input }] of exam.cases.entries()) {
        const began = options.now()
        const { words, probabilities } = await tagProbabilities({ vocabulary, scorer: tuned as Scorer }, input, types, options.signal)
        said.tuned.push(found(decode(words, withTagger(expert, words, probabilities), types)))
        milliseconds.push(options.now() - began)
        said.neural.push(found(decode(words, probabilities, types)))
        const untrained = await tagProbabilities({ vocabulary, scorer: base as Scorer }, input, types, options.signal)
        said.base.push(found(decode(words, untrained.probabilities, types)))
        const likely = cheap.scores(words.map((word) => word.text)).map((row) => row.map(Math.exp))
        // Its scores are margins, which say nothing of how sure it is.
        said.baseline.push({ entities: decode(words, likely, types).map(({ type, start, end }) => ({ type, start, end })) })
        options.onProgress?.(index + 1, exam.cases.length)
      }
      return {
        arms: [
          {
            name: 'tuned',
            what: expert
              ? `the model as served: ${trained} with ${Math.round(100 * expert.settings.share)} % say for the tagger`
              : `${trained} reads each word`,
          },
          ...(expert ? [{ name: 'neural' as const, what: `${trained} alone` }] : []),
          { name: 'base', what: 'the same with the untrained base' },
          { name: 'baseline', what: ports.tagger.what },
        ],
        said: withoutNeural(said, expert),
      }
    }

    /** Every text written by the trained model, by the base that is asked in words, and without any model. */
    async function examineTexts(): Promise<Arms> {
      const { training, practice } = options.dataset
      const mostTokens = weights.mostTokens ?? mostWritten(training, vocabulary)
      const cheap = cheapWriter(ports, { training, practice, language: spec.language[0]! })
      const said: Record<'tuned' | 'base' | 'baseline', Said[]> = { tuned: [], base: [], baseline: [] }
      for (const [index, { input, output }] of exam.cases.entries()) {
        const unread = tooLongToWrite(input, vocabulary) !== undefined
        const by = async (scorer: Scorer, text: string) => (unread ? '' : written({ scorer, vocabulary, mostTokens }, text, options.signal))
        const began = options.now()
        said.tuned.push(wrote(output ?? null, await by(tuned as Scorer, input)))
        milliseconds.push(options.now() - began)
        const asked = promptedInput(spec, input)
        said.base.push(wrote(output ?? null, await by(base as Scorer, tooLongToWrite(asked, vocabulary) ? input : asked)))
        said.baseline.push(wrote(output ?? null, cheap.write(input)))
        options.onProgress?.(index + 1, exam.cases.length)
      }
      return {
        arms: [
          { name: 'tuned', what: `${trained} writes` },
          { name: 'base', what: 'the base model alone, asked in words' },
          { name: 'baseline', what: cheap.what },
        ],
        said,
      }
    }

    async function examineAnswers(): Promise<Arms> {
      const index = ports.retriever.index(options.dataset.passages, spec.language[0]!)
      const match = matcher(options.dataset.passages)
      const language = spec.outputLanguage[0] ?? 'en'
      const { quoting } = weights
      const byWords = (chosen: Quoting): Said[] =>
        exam.cases.map((example) => {
          const began = options.now()
          const answered = quotedByWords({ index, match }, chosen, example.input, language)
          milliseconds.push(options.now() - began)
          return quoted(example.answer ?? null, quotesOf(answered))
        })
      const judging = async (scorer: Scorer, threshold: number, timed: boolean): Promise<Said[]> => {
        const said: Said[] = []
        for (const example of exam.cases) {
          const began = options.now()
          const judged = tooLong(example.input, vocabulary) ? [] : await judge({ vocabulary: vocabulary, scorer, index, match }, example.input, options.signal)
          const answered = quote(judged, threshold, language)
          if (timed) {
            milliseconds.push(options.now() - began)
            options.onProgress?.(said.length + 1, exam.cases.length)
          }
          said.push(quoted(example.answer ?? null, quotesOf(answered)))
        }
        return said
      }
      // Every arm gets the same favour: its own threshold, chosen on practice.
      const { threshold: baseThreshold } = await chooseThreshold(
        { vocabulary: vocabulary, scorer: base as Scorer, index, match },
        options.dataset.practice,
        spec,
        options.signal,
      )
      const cheap = quoteBaseline(ports, { passages: options.dataset.passages, practice: options.dataset.practice, language: spec.language[0]! })
      return {
        arms: [
          ...(quoting
            ? [
                { name: 'tuned' as const, what: `the model as served: sentences found by words (BM25), which practice preferred to ${trained}` },
                { name: 'neural' as const, what: `${trained} chooses the sentences` },
              ]
            : [{ name: 'tuned' as const, what: `${trained} chooses the sentences` }]),
          { name: 'base', what: 'the same with the untrained base' },
          { name: 'baseline', what: whatBaselineIs },
        ],
        said: {
          ...(quoting
            ? { tuned: byWords(quoting), neural: await judging(tuned as Scorer, weights.threshold ?? 0.5, false) }
            : { tuned: await judging(tuned as Scorer, weights.threshold ?? 0.5, true) }),
          base: await judging(base as Scorer, baseThreshold, false),
          baseline: exam.cases.map((example) => quoted(example.answer ?? null, cheap(example.input))),
        },
      }
    }
  } finally {
    await tuned.close()
    await base.close()
  }
}

/** What the cases of a spec's exam ask for. */
export function kindOf(spec: Pick<Spec, 'task' | 'multiLabel'>): Kind {
  if (spec.task === 'classify') return spec.multiLabel ? 'labels' : 'label'
  return spec.task === 'extract' ? 'entities' : spec.task === 'transform' ? 'text' : 'answer'
}

/** An answer as an exam sheet holds it. */
export function saidOf(kind: Kind, answer: Answer, reference: string | null): Said {
  if (kind === 'label') return { label: answer.label ?? answer.text }
  if (kind === 'labels') return { labels: answer.labels ?? [] }
  if (kind === 'entities') return { entities: (answer.entities ?? []).map(({ type, start, end }) => ({ type, start, end })) }
  if (kind === 'text') return wrote(reference, answer.text)
  return quoted(reference, quotesOf(answer))
}

function quotesOf(answer: Answer): string[] | null {
  return answer.abstained ? null : answer.citations.map((citation) => citation.quote)
}

function quoted(reference: string | null, quotes: string[] | null): Said {
  return { quotes, figures: answerFigures(quotes, reference) }
}

function wrote(reference: string | null, text: string): Said {
  return { text, overlap: textFigures(text, reference ?? '') }
}

function withoutNeural({ neural, ...said }: Record<'tuned' | 'neural' | 'base' | 'baseline', Said[]>, expert: unknown): Arms['said'] {
  return expert ? { ...said, neural } : said
}

/** The base model asked in words: the label whose name it finds likeliest to follow. Long texts are judged by their first window. */
async function promptedLabel(base: Scorer, vocabulary: Vocabulary, labels: readonly string[], input: string): Promise<string> {
  const longest = Math.max(...labels.map((label) => vocabulary.count(` ${label}`)))
  const room = vocabulary.contextLength - longest - vocabulary.count('Text: \nTopic:') - 8
  const words = input.split(/(?<=\s)/)
  while (words.length > 1 && vocabulary.count(words.join('')) > room) words.length = Math.floor(words.length * 0.9)
  const prompt: Prompt = [{ kind: 'text', text: `Text: ${words.join('').trim()}\nTopic:` }]
  const likelihoods = await base.likelihood(
    prompt,
    labels.map((label) => ` ${label}`),
    { best: true },
  )
  return labels[likelihoods.indexOf(Math.max(...likelihoods))]!
}
