/**
 * Spec + Dataset -> Readiness: a cheap stand-in learns a quarter, a half and all of the training examples and is scored on practice.
 * Never looks at the exam. Knows nothing of language models.
 */
import type { Dataset, Example } from '../core/dataset.ts'
import { errorAt, fitLaw, type Readiness } from '../core/readiness.ts'
import { entityF1, random } from '../core/report.ts'
import { wordsOf } from '../core/spans.ts'
import type { Spec } from '../core/spec.ts'
import type { Baseline } from '../ports/baseline.ts'
import type { Retriever } from '../ports/retriever.ts'
import type { Tagger } from '../ports/tagger.ts'
import { quoteBaseline } from './baseline.ts'
import { decode, fitTagger } from './extract.ts'
import { worth } from './worth.ts'

/** Examples a stand-in learns at most: the curve is told from these, and stated for as many as there are. */
const MOST_LEARNED = 3000
const SHARES = [0.25, 0.5, 1]
const RESAMPLES = 200
/** More examples that are spoken of: as many again as there are, at most. */
const MOST_MORE = 2000

/** How right the stand-in was about each practice case, for each share of the examples and each draw of them. */
type Measured = { examples: number; right: number[][] }

export async function readiness(
  ports: { baseline: Baseline; tagger: Tagger; retriever: Retriever },
  options: { spec: Spec; dataset: Dataset; seconds: number; signal?: AbortSignal | undefined },
): Promise<Readiness> {
  const { spec, dataset } = options
  const { training, practice } = dataset
  const shared = { practice: practice.length, topics: topicsOf(training, dataset), seconds: options.seconds }
  if (spec.task !== 'classify' && spec.task !== 'extract') return forPages(ports, options, shared)
  const measured: Measured[] = []
  const learned = training.length > MOST_LEARNED ? spread(training, MOST_LEARNED, 0) : training
  for (const share of SHARES) {
    const examples = Math.round(learned.length * share)
    // Small parts are drawn three times, because which examples they hold matters more.
    const draws = share === 1 ? 1 : learned.length > 1000 ? 2 : 3
    const right: number[][] = []
    for (let draw = 0; draw < draws; draw++) {
      options.signal?.throwIfAborted()
      const part = share === 1 ? learned : spread(learned, examples, draw + 1)
      right.push(
        spec.task === 'classify' ? await kindsRight(ports, part, practice, options.signal) : await wordsRight(ports, spec, part, practice, options.signal),
      )
    }
    measured.push({ examples, right })
  }
  const scale = training.length / learned.length
  const everyCase = practice.map((_, index) => index)
  const points = measured.map(({ examples, right }) => ({ examples, score: scoreOf(right, everyCase) }))
  const more = Math.min(MOST_MORE, Math.max(20, nice(training.length / 2)))
  const predict = (cases: readonly number[], pick: (draws: number) => number): [number, number] => {
    const law = fitLaw(measured.map(({ examples, right }) => ({ examples, error: 1 - scoreOf([right[pick(right.length)]!], cases) })))
    // The curve was told from fewer than there are; what lies between follows the law too.
    return [1 - errorAt(law, training.length), 1 - errorAt(law, training.length + more)]
  }
  const law = fitLaw(points.map(({ examples, score }) => ({ examples, error: 1 - score })))
  const next = random(7)
  const drawn = Array.from({ length: RESAMPLES }, () =>
    predict(
      everyCase.map(() => Math.floor(next() * practice.length)),
      (draws) => Math.floor(next() * draws),
    ),
  )
  const score = scale > 1 ? 1 - errorAt(law, training.length) : points.at(-1)!.score
  // The law gives the gain; the score it starts from is the measured one.
  const gain = Math.max(0, errorAt(law, training.length) - errorAt(law, training.length + more))
  return {
    proxy: spec.task === 'classify' ? ports.baseline.what : ports.tagger.what,
    metric: spec.task === 'classify' ? 'share of right kinds' : 'entity-F1',
    points,
    now: {
      examples: training.length,
      score,
      interval: eighty(
        drawn.map(([value]) => value),
        score,
      ),
    },
    next: {
      more,
      score: score + gain,
      interval: eighty(
        drawn.map(([, value]) => value),
        score + gain,
      ),
    },
    ...shared,
  }
}

/** Pages answer or do not, whatever the number of questions: no gain is promised, but today's score is told. */
function forPages(
  ports: { retriever: Retriever },
  options: { spec: Spec; dataset: Dataset },
  shared: Pick<Readiness, 'practice' | 'topics' | 'seconds'>,
): Readiness {
  const { spec, dataset } = options
  const half = dataset.practice.filter((_, index) => index % 2)
  // What it abstains at is chosen on one half of practice and scored on the other, and the other way round.
  const right = [half, dataset.practice.filter((_, index) => !(index % 2))].flatMap((chosen, index, both) => {
    const quote = quoteBaseline(ports, { passages: dataset.passages, practice: chosen, language: spec.language[0]! })
    return both[1 - index]!.map((example) => worth(quote(example.input)?.join(' ') ?? null, example.answer ?? null))
  })
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length)
  const next = random(7)
  const score = mean(right)
  const drawn = Array.from({ length: RESAMPLES }, () => mean(right.map(() => right[Math.floor(next() * right.length)]!)))
  return {
    proxy: 'quoting the best passages found (BM25)',
    metric: 'token-F1 with refusals',
    points: [{ examples: dataset.training.length, score }],
    now: { examples: dataset.training.length, score, interval: eighty(drawn, score) },
    next: null,
    ...shared,
  }
}

/** 1 or 0 a practice text. */
async function kindsRight(ports: { baseline: Baseline }, training: readonly Example[], practice: readonly Example[], signal?: AbortSignal): Promise<number[]> {
  const labelled = (examples: readonly Example[]) => examples.map((example) => ({ input: example.input, label: example.label ?? '' }))
  const fitted = await ports.baseline.fit({ training: labelled(training), practice: labelled(practice), signal })
  return practice.map((example, index) => {
    const row = fitted.practiceScores[index]!
    return fitted.labels[row.indexOf(Math.max(...row))] === example.label ? 1 : 0
  })
}

/** Entity-F1 a practice text. */
async function wordsRight(
  ports: { tagger: Tagger },
  spec: Spec,
  training: readonly Example[],
  practice: readonly Example[],
  signal?: AbortSignal,
): Promise<number[]> {
  const types = spec.fields ?? []
  const fitted = await fitTagger(ports, { types, training, practice, signal })
  return practice.map((example) => {
    const words = wordsOf(example.input)
    const probabilities = fitted.scores(words.map((word) => word.text)).map((row) => row.map(Math.exp))
    return entityF1([decode(words, probabilities, types)], [example.entities ?? []]).f1
  })
}

function scoreOf(right: readonly (readonly number[])[], cases: readonly number[]): number {
  const sums = right.map((one) => cases.reduce((sum, index) => sum + one[index]!, 0) / Math.max(1, cases.length))
  return sums.reduce((sum, value) => sum + value, 0) / sums.length
}

/** An even part, each kind in its share, that `seed` moves. */
function spread(examples: readonly Example[], size: number, seed: number): Example[] {
  const next = random(seed + 11)
  const kinds = new Map<string, Example[]>()
  for (const one of examples) kinds.set(one.label ?? '', [...(kinds.get(one.label ?? '') ?? []), one])
  return [...kinds.values()].flatMap((of) => {
    const shuffled = of.map((one) => ({ one, place: next() })).sort((a, b) => a.place - b.place)
    return shuffled.slice(0, Math.max(1, Math.round((of.length * size) / examples.length))).map(({ one }) => one)
  })
}

/** The middle four fifths, moved to surround what was measured. */
function eighty(values: readonly number[], around: number): [number, number] {
  const sorted = [...values].sort((a, b) => a - b)
  const [low, middle, high] = [0.1, 0.5, 0.9].map((share) => sorted[Math.floor(share * (sorted.length - 1))]!) as [number, number, number]
  return [Math.max(0, around - (middle - low)), Math.min(1, around + (high - middle))]
}

/** A round number of about this size. */
function nice(value: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, value)))
  return Math.round(value / size) * size
}

/** Kinds by examples; of questions, the pages they are about. */
function topicsOf(training: readonly Example[], dataset: Dataset): Readiness['topics'] {
  const titles = new Map(dataset.passages.map((one) => [one.source.file, one.title || one.source.file]))
  const counts = new Map<string, number>(training.some(({ answer }) => answer !== undefined) ? [...titles.values()].map((title) => [title, 0]) : [])
  for (const one of training) {
    const names = one.entities
      ? new Set(one.entities.map(({ type }) => type))
      : [one.label ?? titles.get(one.group.split('\n')[0]!) ?? titles.get(one.source.file)]
    for (const name of names) if (name) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return [...counts].map(([name, examples]) => ({ name, examples })).sort((a, b) => b.examples - a.examples || (a.name < b.name ? -1 : 1))
}
