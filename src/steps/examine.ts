/**
 * Weights + sealed exam -> Report: the tuned model, the base model and a strong cheap baseline answer the same cases
 * through the runtime that will serve them, and are scored with intervals.
 * It never trains and never chooses: thresholds and baselines were fixed on practice.
 */

import type { Dataset, Exam, Example } from '../core/dataset.ts'
import { examId } from '../core/dataset.ts'
import { isRefusal, type Refusal } from '../core/errors.ts'
import { canonical } from '../core/id.ts'
import type { Serving } from '../core/package.ts'
import type { Prompt } from '../core/prompt.ts'
import { type Arm, accuracy, bootstrap, entityTally, labelTally, macroF1, type Report, tallied } from '../core/report.ts'
import type { Spec } from '../core/spec.ts'
import { servedFrom, type Weights, weightsId } from '../core/weights.ts'
import type { Baseline } from '../ports/baseline.ts'
import type { Retriever } from '../ports/retriever.ts'
import type { Runtime, Scorer, Vocabulary } from '../ports/runtime.ts'
import type { Store } from '../ports/store.ts'
import type { Tagger } from '../ports/tagger.ts'
import { classify, judge, quote, shortened, tooLong, withExpert } from './answer.ts'
import { quoteBaseline, whatBaselineIs } from './baseline.ts'
import { decode, type FoundEntity, fitTagger, tagProbabilities, withTagger } from './extract.ts'
import { chooseKindThreshold, fitKinds, heldOf, kindsOf, MARGINS, mixKinds, PROBABILITIES, scoresOf } from './kinds.ts'
import { matcher } from './match.ts'
import { chooseThreshold } from './train.ts'
import { supports, worth } from './worth.ts'

export type ExamineOptions = {
  spec: Spec
  dataset: Dataset
  exam: Exam
  weights: Weights
  /** How the model will be served, and is examined. */
  serving?: Serving | null
  basePath: string
  now: () => number
  signal?: AbortSignal | undefined
  onProgress?: ((done: number, of: number) => void) | undefined
}

/** What one arm said to one case: a label, or the quoted text (null when it abstained) with whether each quote is supported. */
type Prediction = { label?: string; quoted?: string | null; right?: number; quotes?: number }

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
          : await examineAnswers()
    const predictions = await ports.store.put(
      new TextEncoder().encode(
        canonical({ examId: examId(exam), weightsId: weightsId(weights), cases: exam.cases.map(({ id }) => id), arms: arms.predictions }),
      ),
    )
    milliseconds.sort((a, b) => a - b)
    return {
      weightsId: weightsId(weights),
      examId: examId(exam),
      n: exam.cases.length,
      metric: arms.metric,
      arms: arms.arms,
      predictions,
      latencyMs: Math.round((milliseconds[milliseconds.length >> 1] ?? 0) * 10) / 10,
    }

    async function examineLabels(): Promise<Arms> {
      const truth = exam.cases.map((example) => example.label!)
      const labels = spec.labels!
      const pick = (probabilities: number[]) => labels[probabilities.indexOf(Math.max(...probabilities))]!
      // The classical part is read back from the store, so that what is examined is what will be served.
      const expert = weights.expert && { settings: weights.expert, baseline: ports.baseline.load(await ports.store.get(weights.expert.file)) }
      const tunedLabels: string[] = []
      const neuralLabels: string[] = []
      const baseLabels: string[] = []
      for (const [index, example] of exam.cases.entries()) {
        const began = options.now()
        const neural = await classify({ vocabulary: vocabulary, scorer: tuned as Scorer }, example.input, options.signal)
        tunedLabels.push(pick(withExpert(expert, labels, example.input, neural)))
        milliseconds.push(options.now() - began)
        neuralLabels.push(pick(neural))
        baseLabels.push(await promptedLabel(base as Scorer, vocabulary, labels, example.input))
        options.onProgress?.(index + 1, exam.cases.length)
      }
      const labelled = (examples: readonly Example[]) => examples.map((example) => ({ input: example.input, label: example.label! }))
      const fitted = await ports.baseline.fit({
        training: labelled(options.dataset.training),
        practice: labelled(options.dataset.practice),
        signal: options.signal,
      })
      const baselineLabels = fitted.predict(exam.cases.map((example) => example.input))
      const arm = (name: Arm['name'], what: string, predicted: string[]): Arm => ({
        name,
        what,
        score: macroF1(predicted, truth),
        interval: bootstrap(truth.length, (drawn) =>
          macroF1(
            drawn.map((i) => predicted[i]!),
            drawn.map((i) => truth[i]!),
          ),
        ),
        figures: { accuracy: accuracy(predicted, truth), macroF1: macroF1(predicted, truth) },
      })
      return {
        metric: 'macro-F1',
        arms: [
          arm(
            'tuned',
            expert
              ? `the model as served: ${trained} with ${Math.round(100 * expert.settings.share)} % say for n-grams`
              : `${trained}${weights.kind === 'adapter' ? ' on the base' : ''}`,
            tunedLabels,
          ),
          ...(expert ? [arm('neural', `${trained} alone`, neuralLabels)] : []),
          arm('base', 'the base model alone, prompted in words', baseLabels),
          arm('baseline', ports.baseline.what, baselineLabels),
        ],
        predictions: { tuned: tunedLabels, neural: neuralLabels, base: baseLabels, baseline: baselineLabels },
      }
    }

    /** Whether each kind holds, by the trained model, by the base with a threshold of its own, and by n-grams with theirs. */
    async function examineKinds(): Promise<Arms> {
      const labels = spec.labels!
      const { training, practice } = options.dataset
      const truth = exam.cases.map((example) => example.labels ?? [])
      const expert = weights.expert && { settings: weights.expert, baseline: ports.baseline.load(await ports.store.get(weights.expert.file)) }
      const threshold = weights.threshold ?? 0.5
      const above = (values: readonly number[], least: number): string[] => labels.filter((_, index) => values[index]! >= least)
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
      const predictions: Record<'tuned' | 'neural' | 'base' | 'baseline', string[][]> = { tuned: [], neural: [], base: [], baseline: [] }
      for (const [index, { input }] of exam.cases.entries()) {
        const began = options.now()
        const neural = await kindsOf({ vocabulary, scorer: tuned as Scorer }, input, labels, options.signal)
        const mixed = expert ? mixKinds(neural, scoresOf(expert.baseline, labels, expert.baseline.scores([input])[0]!), expert.settings) : neural
        predictions.tuned.push(above(mixed, threshold))
        milliseconds.push(options.now() - began)
        predictions.neural.push(above(neural, threshold))
        predictions.base.push(above(await kindsOf(untrained, input, labels, options.signal), baseThreshold))
        predictions.baseline.push(above(scoresOf(fitted, labels, fitted.scores([input])[0]!), cheap))
        options.onProgress?.(index + 1, exam.cases.length)
      }
      const arm = (name: keyof typeof predictions, what: string): Arm => {
        const tallies = truth.map((labels, index) => labelTally(predictions[name][index]!, labels))
        const { f1, exact } = tallied(tallies)
        const interval = bootstrap(truth.length, (drawn) => tallied(drawn.map((index) => tallies[index]!)).f1)
        return { name, what, score: f1, interval, figures: { allRight: exact } }
      }
      return {
        metric: 'F1 of the kinds',
        arms: [
          arm(
            'tuned',
            expert
              ? `the model as served: ${trained} with ${Math.round(100 * expert.settings.share)} % say for n-grams`
              : `${trained} says of each kind whether it holds`,
          ),
          ...(expert ? [arm('neural', `${trained} alone`)] : []),
          arm('base', 'the same with the untrained base'),
          arm('baseline', ports.baseline.what),
        ],
        predictions,
      }
    }

    /** Every word of every text read by the trained model, by the base, and by the tagger alone. */
    async function examineWords(): Promise<Arms> {
      const types = spec.fields!
      const truth = exam.cases.map((example) => example.entities ?? [])
      const expert = weights.expert && { settings: weights.expert, tagger: ports.tagger.load(await ports.store.get(weights.expert.file)) }
      const cheap = await fitTagger(ports, { types, training: options.dataset.training, practice: options.dataset.practice, signal: options.signal })
      const predictions: Record<'tuned' | 'neural' | 'base' | 'baseline', FoundEntity[][]> = { tuned: [], neural: [], base: [], baseline: [] }
      for (const [index, { input }] of exam.cases.entries()) {
        const began = options.now()
        const { words, probabilities } = await tagProbabilities({ vocabulary, scorer: tuned as Scorer }, input, types, options.signal)
        predictions.tuned.push(decode(words, withTagger(expert, words, probabilities), types))
        milliseconds.push(options.now() - began)
        predictions.neural.push(decode(words, probabilities, types))
        predictions.base.push(
          decode(words, (await tagProbabilities({ vocabulary, scorer: base as Scorer }, input, types, options.signal)).probabilities, types),
        )
        const likely = cheap.scores(words.map((word) => word.text)).map((row) => row.map(Math.exp))
        predictions.baseline.push(decode(words, likely, types))
        options.onProgress?.(index + 1, exam.cases.length)
      }
      const arm = (name: keyof typeof predictions, what: string): Arm => {
        const tallies = truth.map((entities, index) => entityTally(predictions[name][index]!, entities))
        const { f1, precision, recall } = tallied(tallies)
        const interval = bootstrap(truth.length, (drawn) => tallied(drawn.map((index) => tallies[index]!)).f1)
        return { name, what, score: f1, interval, figures: { precision, recall } }
      }
      return {
        metric: 'entity-F1, exact',
        arms: [
          arm(
            'tuned',
            expert ? `the model as served: ${trained} with ${Math.round(100 * expert.settings.share)} % say for the tagger` : `${trained} reads each word`,
          ),
          ...(expert ? [arm('neural', `${trained} alone`)] : []),
          arm('base', 'the same with the untrained base'),
          arm('baseline', ports.tagger.what),
        ],
        predictions,
      }
    }

    async function examineAnswers(): Promise<Arms> {
      const index = ports.retriever.index(options.dataset.passages, spec.language[0]!)
      const match = matcher(options.dataset.passages)
      const language = spec.outputLanguage[0] ?? 'en'
      const quoting = async (scorer: Scorer, threshold: number, timed: boolean): Promise<Prediction[]> => {
        const predictions: Prediction[] = []
        for (const example of exam.cases) {
          const began = options.now()
          const judged = tooLong(example.input, vocabulary) ? [] : await judge({ vocabulary: vocabulary, scorer, index, match }, example.input, options.signal)
          const answered = quote(judged, threshold, language)
          if (timed) {
            milliseconds.push(options.now() - began)
            options.onProgress?.(predictions.length + 1, exam.cases.length)
          }
          predictions.push(prediction(example, answered.abstained ? null : answered.citations.map((citation) => citation.quote)))
        }
        return predictions
      }
      // Every arm gets the same favour: its own threshold, chosen on practice.
      const baseThreshold = await chooseThreshold(
        { vocabulary: vocabulary, scorer: base as Scorer, index, match },
        options.dataset.practice,
        spec,
        options.signal,
      )
      const cheap = quoteBaseline(ports, { passages: options.dataset.passages, practice: options.dataset.practice, language: spec.language[0]! })
      const predictions = {
        tuned: await quoting(tuned as Scorer, weights.threshold ?? 0.5, true),
        base: await quoting(base as Scorer, baseThreshold, false),
        baseline: exam.cases.map((example) => prediction(example, cheap(example.input))),
      }
      const arm = (name: Arm['name'], what: string, predicted: Prediction[]): Arm => {
        const worths = predicted.map((one, position) => worth(one.quoted ?? null, exam.cases[position]!.answer ?? null))
        const mean = (positions: readonly number[]) => positions.reduce((sum, position) => sum + worths[position]!, 0) / positions.length
        return { name, what, score: mean([...worths.keys()]), interval: bootstrap(worths.length, mean), figures: figures(predicted, worths, exam.cases) }
      }
      return {
        metric: 'token-F1 with refusals',
        arms: [
          arm('tuned', `${trained} chooses the sentences`, predictions.tuned),
          arm('base', 'the same with the untrained base', predictions.base),
          arm('baseline', whatBaselineIs, predictions.baseline),
        ],
        predictions,
      }
    }
  } finally {
    await tuned.close()
    await base.close()
  }
}

type Arms = { metric: string; arms: Arm[]; predictions: Record<string, unknown> }

function prediction(example: Example, quotes: string[] | null): Prediction {
  const reference = example.answer ?? null
  const holds = reference === null ? () => false : supports(reference)
  return { quoted: quotes === null ? null : quotes.join(' '), right: quotes?.filter(holds).length ?? 0, quotes: quotes?.length ?? 0 }
}

/** Coverage, refusals and citations of an answering arm; each a share of the cases or quotes it is about. */
function figures(predicted: readonly Prediction[], worths: readonly number[], cases: readonly Example[]): Record<string, number> {
  const covered = cases.map((example) => (example.answer ?? null) !== null)
  const refused = predicted.map((one) => one.quoted === null)
  const share = (part: number, whole: number) => (whole ? part / whole : 0)
  const count = (matches: (position: number) => boolean) => cases.filter((_, position) => matches(position)).length
  const both = count((position) => refused[position]! && !covered[position]!)
  return {
    tokenF1: share(
      worths.reduce((sum, value, position) => (covered[position] ? sum + value : sum), 0),
      count((position) => covered[position]!),
    ),
    coverage: share(
      count((position) => covered[position]! && !refused[position]!),
      count((position) => covered[position]!),
    ),
    refusalPrecision: share(
      both,
      count((position) => refused[position]!),
    ),
    refusalRecall: share(
      both,
      count((position) => !covered[position]!),
    ),
    citationPrecision: share(
      predicted.reduce((sum, one) => sum + (one.right ?? 0), 0),
      predicted.reduce((sum, one) => sum + (one.quotes ?? 0), 0),
    ),
  }
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
  )
  return labels[likelihoods.indexOf(Math.max(...likelihoods))]!
}
