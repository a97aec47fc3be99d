import { expect, it } from 'vitest'
import { characterTally, chrF } from './overlap.ts'

const score = (...pairs: [string, string][]) => chrF(pairs.map(([written, reference]) => characterTally(written, reference)))

it('is one for the same text, whatever its spaces, and nothing for another', () => {
  expect(score(['The tenant pays the rent.', 'The tenant  pays the rent.'])).toBe(1)
  expect(score(['aaaa', 'zzzz'])).toBe(0)
  expect(score(['', 'something'])).toBe(0)
})

it('counts as sacreBLEU does', () => {
  // By hand: "abc" against "abd". Orders 1 to 3 exist: precision and recall 2/3, 1/2, 0, means 7/18 each.
  expect(score(['abc', 'abd'])).toBeCloseTo(7 / 18, 12)
  // A short text against a long one: precision 1, recall 2/4 and 1/3, mean 5/12; F2 = 5 x 5/12 / (4 + 5/12).
  expect(score(['ab', 'abcd'])).toBeCloseTo((5 * (5 / 12)) / (4 + 5 / 12), 12)
})

it('weighs long cases more than short ones, because counts are added', () => {
  const [long, short]: [[string, string], [string, string]] = [
    ['a long sentence that is right', 'a long sentence that is right'],
    ['no', 'ja'],
  ]
  expect(score(long, short)).toBeGreaterThan((score(long) + score(short)) / 2)
})
