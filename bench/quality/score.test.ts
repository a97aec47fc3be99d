import { expect, it } from 'vitest'
import { accuracy, macroF1 } from '../../src/core/report.ts'
import { compare, type Scoring, saidLabels, saidTallies, saidWorths, scorerOf } from './score.ts'

const labels = ['a', 'b', 'c']
const truth = ['a', 'a', 'a', 'b', 'b', 'c']
const guess = ['a', 'b', 'a', 'b', 'c', 'a']
const scoring = (metric: string): Scoring => ({ kind: 'classify', metric, labels, truth: saidLabels(labels, truth) })
const scored = (metric: string, predicted: (string | undefined)[]) => scorerOf(scoring(metric), saidLabels(labels, predicted)).score()

it('scores labels as the reports of the factory do, and as scikit-learn weighs them', () => {
  expect(scored('accuracy', guess)).toBeCloseTo(accuracy(guess, truth), 12)
  expect(scored('macro-F1', guess)).toBeCloseTo(macroF1(guess, truth), 12)
  // F1 of a, b and c: 4/6, 2/4 and 0, weighed 3, 2 and 1.
  expect(scored('weighted-F1', guess)).toBeCloseTo((3 * (4 / 6) + 2 * 0.5) / 6, 12)
  expect(scored('F1 of b', guess)).toBeCloseTo(0.5, 12)
  // Saying nothing is a miss, and no error of another label; a label the task has not is nothing.
  expect(scored('accuracy', ['a', undefined, 'a', 'b', 'z', undefined])).toBeCloseTo(3 / 6, 12)
  expect(scored('F1 of b', ['a', undefined, 'a', 'b', undefined, undefined])).toBeCloseTo(2 / 3, 12)
})

it('scores what is found by all of it together, and answers by their mean, where refusing everything is worth nothing', () => {
  const found = saidTallies([
    { hit: 1, said: 2, right: 1 },
    { hit: 0, said: 0, right: 1 },
  ])
  expect(scorerOf({ kind: 'extract', metric: 'entity-F1', labels: [], truth: '' }, found).score()).toBeCloseTo(2 / 4, 12)
  const answers = (worths: (number | undefined)[]) => scorerOf({ kind: 'answer', metric: 'token-F1', labels: [], truth: '' }, saidWorths(worths)).score()
  expect(answers([0.5, undefined, 1, 0])).toBeCloseTo(1.5 / 4, 12)
  expect(answers([undefined, undefined])).toBe(0)
})

it('calls a tie what the interval cannot tell from nothing, on the same cases', () => {
  const many = Array.from({ length: 200 }, (_, index) => labels[index % 3]!)
  const rightBut = (wrong: (index: number) => boolean) => many.map((label, index) => (wrong(index) ? labels[(index + 1) % 3] : label))
  const arm = (wrong: (index: number) => boolean) =>
    scorerOf({ kind: 'classify', metric: 'accuracy', labels, truth: saidLabels(labels, many) }, saidLabels(labels, rightBut(wrong)))
  const [good, same, bad] = [arm((index) => index % 10 === 0), arm((index) => index % 10 === 1), arm((index) => index % 3 === 0)]
  expect(compare([good], [good])).toEqual({ difference: 0, interval: [0, 0], verdict: 'tie' })
  expect(compare([good], [same]).verdict).toBe('tie')
  expect(compare([good], [bad])).toMatchObject({ verdict: 'win' })
  expect(compare([bad], [good])).toMatchObject({ verdict: 'loss' })
  expect(compare([bad], [good]).interval[1]).toBeLessThan(0)
  // Of several seeds it is the mean that counts.
  expect(compare([good, bad], [good]).difference).toBeCloseTo((good.score() + bad.score()) / 2 - good.score(), 12)
  expect(() => compare([good], [scorerOf(scoring('accuracy'), saidLabels(labels, guess))])).toThrow(RangeError)
  expect(() => scorerOf(scoring('accuracy'), '0 1')).toThrow('2 predictions stand beside 6 cases')
})
