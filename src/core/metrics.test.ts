/** Metrics against values computed by others or by hand. */
import { expect, it } from 'vitest'
import { calibrationError, exactMatch, pairedDifference, rougeL, weightedF1 } from './metrics.ts'

it('weighs F1 by class like scikit-learn', () => {
  // sklearn.metrics.f1_score(truth, predicted, average='weighted') of its own documentation: 0.26...
  const [truth, predicted] = ['012012', '021001']
  expect(weightedF1([...predicted!], [...truth!])).toBeCloseTo(0.26666, 4)
  expect(weightedF1(['a', 'a', 'a'], ['a', 'a', 'b'])).toBeCloseTo((2 * 0.8 + 0) / 3, 12)
  expect(weightedF1([], [])).toBe(0)
})

it('measures how far confidence is from being right', () => {
  expect(calibrationError([1, 1, 1, 1], [true, true, true, true])).toBe(0)
  expect(calibrationError([1, 1], [false, false])).toBe(1)
  // Two bins of two: |0.95 - 0.5| and |0.65 - 1|, half each.
  expect(calibrationError([0.95, 0.95, 0.65, 0.65], [true, false, true, true])).toBeCloseTo(0.4, 12)
  // Over and under within one bin cancel, in different bins they do not.
  expect(calibrationError([0.5, 0.5], [true, false])).toBe(0)
  expect(calibrationError([0.2, 0.8], [true, false])).toBeCloseTo(0.8, 12)
})

it('measures the longest common subsequence of words', () => {
  // Lin 2004, section 3: S1 police killed the gunman, S2 police kill the gunman (3 of 4), S3 the gunman kill police (2 of 4).
  expect(rougeL('police kill the gunman', 'police killed the gunman')).toBeCloseTo(0.75, 12)
  expect(rougeL('the gunman kill police', 'police killed the gunman')).toBeCloseTo(0.5, 12)
  expect(rougeL('a b', 'a b c d')).toBeCloseTo(2 / 3, 12)
  expect(rougeL('', '')).toBe(1)
  expect(rougeL('a', '')).toBe(0)
  expect(exactMatch('The pain, in the CHEST!', 'the pain in the chest')).toBe(true)
  expect(exactMatch('the pain in a chest', 'the pain in the chest')).toBe(false)
})

it('tells a difference from chance by drawing the same cases for both', () => {
  const mean = (values: readonly number[]) => (drawn: readonly number[]) => drawn.reduce((sum, index) => sum + values[index]!, 0) / drawn.length
  const hard = Array.from({ length: 100 }, (_, index) => index % 2)
  // One is right on ten cases more and never where the other is not: each alone varies by far more than 0.1.
  const better = hard.map((value, index) => (index % 10 === 0 ? 1 : value))
  const won = pairedDifference(100, mean(better), mean(hard))
  expect(won.difference).toBeCloseTo(0.1, 12)
  expect(won.interval[0]).toBeGreaterThan(0)
  expect(won.interval[1]).toBeLessThan(0.2)
  expect(won.outcome).toBe('win')
  expect(pairedDifference(100, mean(hard), mean(better)).outcome).toBe('loss')
  // As many better as worse: the interval contains zero, which is a tie.
  const other = hard.map((value, index) => (index % 10 < 2 ? 1 - value : value))
  expect(pairedDifference(100, mean(other), mean(hard))).toMatchObject({ difference: 0, outcome: 'tie' })
  expect(pairedDifference(100, mean(hard), mean(hard))).toEqual({ difference: 0, interval: [0, 0], outcome: 'tie' })
})
