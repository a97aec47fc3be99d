/**
 * Metrics beyond those a report is headed by: weighted F1, calibration, ROUGE-L, exact match; and intervals of differences. Pure, with
 * their sources, so that anyone can recompute them. Knows nothing of cases or models.
 */
import { bootstrap, words } from './report.ts'

/** Mean F1 of the classes that are right somewhere, each weighted by how often it is (scikit-learn's `weighted`). */
export function weightedF1(predicted: readonly string[], truth: readonly string[]): number {
  let sum = 0
  for (const label of new Set(truth)) {
    const [hit, said, right] = [
      truth.filter((value, index) => value === label && predicted[index] === label).length,
      predicted.filter((value) => value === label).length,
      truth.filter((value) => value === label).length,
    ]
    sum += (right * 2 * hit) / (said + right)
  }
  return truth.length ? sum / truth.length : 0
}

/** Expected calibration error (Naeini et al. 2015, Guo et al. 2017): the gap between confidence and accuracy, over bins of equal width. */
export function calibrationError(confidences: readonly number[], right: readonly boolean[], bins = 10): number {
  const sums = Array.from({ length: bins }, () => ({ confidence: 0, right: 0 }))
  for (const [index, confidence] of confidences.entries()) {
    const bin = sums[Math.min(bins - 1, Math.floor(confidence * bins))]!
    bin.confidence += confidence
    if (right[index]) bin.right++
  }
  // |sum of confidences - number right| of a bin is its share of cases times its gap, but for the division by all.
  const gap = sums.reduce((sum, bin) => sum + Math.abs(bin.confidence - bin.right), 0)
  return confidences.length ? gap / confidences.length : 0
}

/** Whether two texts are the same but for case and punctuation (SQuAD, Rajpurkar et al. 2016). */
export function exactMatch(answer: string, reference: string): boolean {
  return words(answer).join(' ') === words(reference).join(' ')
}

/** ROUGE-L (Lin 2004): F1 of the longest common subsequence of words. */
export function rougeL(answer: string, reference: string): number {
  const [left, right] = [words(answer), words(reference)]
  if (!left.length || !right.length) return left.length === right.length ? 1 : 0
  let before = new Uint32Array(right.length + 1)
  for (const word of left) {
    const row = new Uint32Array(right.length + 1)
    for (let place = 1; place <= right.length; place++)
      row[place] = word === right[place - 1] ? before[place - 1]! + 1 : Math.max(before[place]!, row[place - 1]!)
    before = row
  }
  return (2 * before[right.length]!) / (left.length + right.length)
}

/**
 * The difference of two scores on the same cases with its 95 % interval by the paired bootstrap (Efron and Tibshirani 1993; Koehn 2004):
 * each draw of cases is scored by both. A tie is an interval that contains zero.
 */
export function pairedDifference(
  n: number,
  one: (drawn: readonly number[]) => number,
  other: (drawn: readonly number[]) => number,
): { difference: number; interval: [number, number]; outcome: 'win' | 'tie' | 'loss' } {
  const difference = (drawn: readonly number[]) => one(drawn) - other(drawn)
  const interval = bootstrap(n, difference)
  const outcome = interval[0] > 0 ? 'win' : interval[1] < 0 ? 'loss' : 'tie'
  return { difference: difference(Array.from({ length: n }, (_, index) => index)), interval, outcome }
}
