/**
 * Score: what an arm said of each case as one compact line, the metric of a task over any draw of its cases, and two arms side by side on the
 * same draws (paired bootstrap). Knows nothing of where predictions come from.
 */
import { bootstrap, tallied } from '../../src/core/report.ts'
import { labelOfMetric } from './description.ts'

/** What was not answered, or has no label of the task. */
const NONE = '-'

/**
 * What an arm said, one word a case in the order of the task's cases: for classify the place of the label among the task's labels, for
 * extract `hit/said/right`, for answer what the answer is worth; `-` where nothing was said.
 */
export type Said = string

/** How a task is scored: its kind and metric, and for classify its labels and, as {@link Said}, the truth. */
export type Scoring = { kind: 'classify' | 'extract' | 'answer'; metric: string; labels: readonly string[]; truth: Said }

/** The score over the cases drawn, or over all of them. */
export type Scorer = { n: number; score: (drawn?: readonly number[]) => number }

export const saidLabels = (labels: readonly string[], predicted: readonly (string | undefined)[]): Said =>
  predicted.map((label) => (label === undefined || !labels.includes(label) ? NONE : String(labels.indexOf(label)))).join(' ')
export const saidTallies = (tallies: readonly { hit: number; said: number; right: number }[]): Said =>
  tallies.map(({ hit, said, right }) => `${hit}/${said}/${right}`).join(' ')
/** `undefined` is an abstention. */
export const saidWorths = (worths: readonly (number | undefined)[]): Said =>
  worths.map((worth) => (worth === undefined ? NONE : String(Math.round(worth * 10_000) / 10_000))).join(' ')

/** @throws {RangeError} where the line has another number of cases than the truth. */
export function scorerOf(scoring: Scoring, said: Said): Scorer {
  const words = said === '' ? [] : said.split(' ')
  const all = [...words.keys()]
  if (scoring.kind === 'extract') {
    const tallies = words.map((word) => {
      const [hit = 0, guessed = 0, right = 0] = word.split('/').map(Number)
      return { hit, said: guessed, right }
    })
    return { n: words.length, score: (drawn = all) => tallied(drawn.map((index) => tallies[index]!)).f1 }
  }
  if (scoring.kind === 'answer') {
    const worths = words.map((word) => (word === NONE ? 0 : Number(word)))
    return { n: words.length, score: (drawn = all) => drawn.reduce((sum, index) => sum + worths[index]!, 0) / Math.max(1, drawn.length) }
  }
  const predicted = numbers(said)
  const truth = numbers(scoring.truth)
  if (truth.length !== predicted.length) throw new RangeError(`${predicted.length} predictions stand beside ${truth.length} cases.`)
  const label = labelOfMetric(scoring.metric)
  const only = label === undefined ? undefined : scoring.labels.indexOf(label)
  return { n: truth.length, score: (drawn = all) => labelScore(scoring.metric, { truth, predicted, drawn, labels: scoring.labels.length, only }) }
}

/** Places of labels; -1 where none was said. */
const numbers = (said: Said): Int32Array => (said === '' ? new Int32Array(0) : Int32Array.from(said.split(' '), (word) => (word === NONE ? -1 : Number(word))))

/**
 * Accuracy, F1 of one label, macro-F1 (mean over the labels present in truth or prediction) or F1 weighted by how often a label is right, as
 * scikit-learn defines them. A case without a prediction is a miss of its label and no error of another.
 */
function labelScore(
  metric: string,
  { truth, predicted, drawn, labels, only }: { truth: Int32Array; predicted: Int32Array; drawn: readonly number[]; labels: number; only: number | undefined },
): number {
  const hit = new Int32Array(labels)
  const said = new Int32Array(labels)
  const right = new Int32Array(labels)
  let correct = 0
  for (const index of drawn) {
    const [is, guess] = [truth[index]!, predicted[index]!]
    right[is]!++
    if (guess >= 0) said[guess]!++
    if (is !== guess) continue
    hit[is]!++
    correct++
  }
  if (metric === 'accuracy') return correct / Math.max(1, drawn.length)
  const f1 = (label: number): number => (said[label]! + right[label]! ? (2 * hit[label]!) / (said[label]! + right[label]!) : 0)
  if (only !== undefined) return f1(only)
  let [sum, weight] = [0, 0]
  for (let label = 0; label < labels; label++) {
    const counts = metric === 'weighted-F1' ? right[label]! : said[label]! + right[label]! ? 1 : 0
    sum += counts * f1(label)
    weight += counts
  }
  return weight ? sum / weight : 0
}

export type Verdict = 'win' | 'tie' | 'loss'
export type Comparison = { difference: number; interval: [number, number]; verdict: Verdict }

/**
 * One arm less another on the same cases: each is the mean of its runs (seeds), drawn together 1,000 times. A tie is where the 95 % interval
 * holds zero. @throws {RangeError} where the runs are not of the same cases, or there is none.
 */
export function compare(arm: readonly Scorer[], other: readonly Scorer[]): Comparison {
  const n = arm[0]?.n ?? 0
  if (!n || !other.length || [...arm, ...other].some((one) => one.n !== n)) throw new RangeError('Only runs on the same cases can be compared.')
  const mean = (runs: readonly Scorer[], drawn?: readonly number[]) => runs.reduce((sum, { score }) => sum + score(drawn), 0) / runs.length
  const interval = bootstrap(n, (drawn) => mean(arm, drawn) - mean(other, drawn))
  return { difference: mean(arm) - mean(other), interval, verdict: interval[0] > 0 ? 'win' : interval[1] < 0 ? 'loss' : 'tie' }
}
