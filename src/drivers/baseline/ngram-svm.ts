/**
 * The strong cheap classifier: TF-IDF of word 1-2-grams and character 2-5-grams, one linear SVM a label. Chooses its
 * penalty and class weights on practice, then learns from training and practice together. Knows nothing of specs or files.
 */
import { macroF1 } from '../../core/report.ts'
import { fitHyperplane, type Hyperplane, height, type SparseRows, score } from '../../engine/linear.ts'
import type { Baseline, FittedBaseline, LabelledText } from '../../ports/baseline.ts'
import { loaded, read, rounded, save } from './gram-model.ts'
import { learnGrams } from './grams.ts'

type Case = LabelledText

const holds = (item: Case, label: string): boolean => item.labels?.includes(label) ?? item.label === label

const penalties = [0.1, 0.3, 1, 3]

/** @throws the signal's reason when cancelled, and {@link EmptyError} without training rows. */
export function ngramSvm(): Baseline {
  return {
    what: 'TF-IDF word and character n-grams + linear SVM',
    async fit({ training, practice, signal }) {
      if (!training.length) throw new EmptyError()
      const choice = await choose(training, practice, signal)
      const all = [...training, ...practice]
      const { labels, vocabulary, rows } = prepare(all)
      const planes = await fitAll(rows, all, labels, choice, signal)
      const model = { labels, families: vocabulary.families, weights: planes.map((plane) => rounded(plane.weights)) }
      return {
        ...loaded(model),
        // A label that training alone does not have cannot have had a score.
        practiceScores: choice.scores.map((row) => labels.map((label) => row[choice.labels.indexOf(label)] ?? -1)),
        save: () => save(model),
      } satisfies FittedBaseline
    },
    load: (bytes) => loaded(read(bytes)),
  }
}

type Choice = { penalty: number; balanced: boolean }
/** The choice, and what its fit on training alone said of practice. */
type Chosen = Choice & { labels: string[]; scores: number[][] }

/** The penalty and weighting with the best macro-F1 on practice; the first of equals, so the simplest. */
async function choose(training: readonly Case[], practice: readonly Case[], signal: AbortSignal | undefined): Promise<Chosen> {
  let chosen: Chosen & { value: number } = { penalty: 1, balanced: false, value: -1, labels: [], scores: [] }
  if (!practice.length) return chosen
  const { labels, vocabulary, rows } = prepare(training)
  const features = vocabulary.encode(practice.map((item) => item.input))
  const truth = practice.map((item) => item.label)
  const attempt = async (choice: Choice, from?: readonly Hyperplane[]): Promise<Hyperplane[]> => {
    const planes = await fitAll(rows, training, labels, choice, signal, from)
    const weights = planes.map((plane) => plane.weights)
    const scores = truth.map((_, row) => weights.map((plane) => score(plane, features, row)))
    const value = macroF1(
      scores.map((row) => labels[row.indexOf(Math.max(...row))]!),
      truth,
    )
    if (value > chosen.value + 1e-9) chosen = { ...choice, value, labels, scores }
    return planes
  }
  let planes: Hyperplane[] | undefined
  for (const penalty of penalties) planes = await attempt({ penalty, balanced: false }, planes)
  // Balancing only where the penalty already is good: half the fits for the same choice in nearly every case.
  const near = penalties.indexOf(chosen.penalty)
  planes = undefined
  for (const penalty of penalties.slice(Math.max(0, near - 1), near + 1)) planes = await attempt({ penalty, balanced: true }, planes)
  return chosen
}

async function fitAll(
  rows: SparseRows,
  cases: readonly Case[],
  labels: readonly string[],
  choice: Choice,
  signal: AbortSignal | undefined,
  from?: readonly Hyperplane[],
): Promise<Hyperplane[]> {
  const planes: Hyperplane[] = []
  for (const [index, label] of labels.entries()) {
    // A breath between labels, so that a server in the same process keeps answering.
    await new Promise((resolve) => setImmediate(resolve))
    signal?.throwIfAborted()
    const positive = Uint8Array.from(cases, (item) => (holds(item, label) ? 1 : 0))
    const count = positive.reduce((sum, value) => sum + value, 0)
    const weight = choice.balanced ? height(rows) / (labels.length * count) : 1
    planes.push(fitHyperplane(rows, positive, { positive: choice.penalty * weight, negative: choice.penalty, from: from?.[index] }))
  }
  return planes
}

function prepare(cases: readonly Case[]) {
  const labels = [...new Set(cases.flatMap((item) => item.labels ?? [item.label]))].sort()
  const inputs = cases.map((item) => item.input)
  const vocabulary = learnGrams(inputs)
  return { labels, vocabulary, rows: vocabulary.encode(inputs) }
}

/** There is nothing to learn from. */
export class EmptyError extends Error {
  override readonly name = 'NgramSvm.EmptyError'
  constructor() {
    super('The baseline needs at least one training example.')
  }
}
