/** The mix of neural and classical parts: what it computes, and that practice chooses the better part. */
import { describe, expect, it } from 'vitest'
import { chooseLabelMix, chooseMix, mix } from './mix.ts'

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0)

describe('mix', () => {
  it('is the neural part at share 0, the classical at share 1, and a distribution in between', () => {
    const neural = [0.7, 0.2, 0.1]
    const scores = [0, 1, 0]
    for (const [index, value] of mix(neural, scores, { share: 0, temperature: 2 }).entries()) expect(value).toBeCloseTo(neural[index]!, 9)
    // softmax(2 * [0, 1, 0]) = e^2 / (e^2 + 2) for the second.
    expect(mix(neural, scores, { share: 1, temperature: 2 })[1]).toBeCloseTo(Math.exp(2) / (Math.exp(2) + 2), 9)
    const half = mix(neural, scores, { share: 0.5, temperature: 2 })
    expect(sum(half)).toBeCloseTo(1, 9)
    expect(half[0]).toBeLessThan(0.7)
    expect(half[1]).toBeGreaterThan(0.2)
  })

  it('lets the part decide that is right on practice', () => {
    const right = [2, -2]
    const cases = (classicalRight: boolean, neuralRight: boolean) =>
      Array.from({ length: 20 }, (_, index) => {
        const truth = index % 2
        const towards = (good: boolean, one: number, other: number) => ((truth === 0) === good ? [one, other] : [other, one])
        return { neural: towards(neuralRight, 0.9, 0.1), scores: towards(classicalRight, right[0]!, right[1]!), truth }
      })
    expect(chooseMix(cases(false, true)).share).toBe(0)
    expect(chooseMix(cases(true, false)).share).toBeGreaterThanOrEqual(0.9)
  })

  it('lets the part alone decide that finds the rare label, though both together have the lower cross-entropy', () => {
    // One in five is rare. The classical part finds them all and takes three in eight of the frequent ones for rare; the neural part never does.
    const cases = Array.from({ length: 100 }, (_, index) => {
      const truth = index % 5 === 0 ? 1 : 0
      const clear = truth === 0 && index % 8 > 2
      return { neural: clear ? [0.98, 0.02] : [0.6, 0.4], scores: clear ? [0.5, -0.5] : [-0.1, 0.1], truth }
    })
    const recall = (settings: { share: number; temperature: number }) => {
      const said = cases.map(({ neural, scores }) => mix(neural, scores, settings)).map(([one, other]) => (other! > one! ? 1 : 0))
      return cases.filter(({ truth }, index) => truth === 1 && said[index] === 1).length / 20
    }
    expect(recall(chooseMix(cases))).toBeLessThan(0.5)
    expect(recall(chooseLabelMix(cases))).toBe(1)
    expect(chooseLabelMix(cases).share).toBe(1)
  })

  it('keeps both together where neither part is clearly better', () => {
    const cases = Array.from({ length: 40 }, (_, index) => {
      const truth = index % 2
      const [neuralRight, classicalRight] = [index % 8 !== 0, index % 8 !== 4]
      const towards = (good: boolean, high: number, low: number) => ((truth === 0) === good ? [high, low] : [low, high])
      return {
        neural: towards(neuralRight, neuralRight ? 0.9 : 0.55, neuralRight ? 0.1 : 0.45),
        scores: towards(classicalRight, classicalRight ? 1 : 0.05, classicalRight ? -1 : -0.05),
        truth,
      }
    })
    const { share } = chooseLabelMix(cases)
    expect(share).toBeGreaterThan(0)
    expect(share).toBeLessThan(1)
    expect(chooseLabelMix(cases)).toEqual(chooseMix(cases))
  })
})
