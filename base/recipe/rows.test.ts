import { describe, expect, it } from 'vitest'
import { type Course, learningRate, progress, stageAt, startOf } from './course.ts'
import { rowsOf, stageRows } from './rows.ts'

describe('rows of a token file', () => {
  it('stand where pretrain.py has them', () => {
    // What `stage_rows(np.zeros(10000), [64 tokens of 0.6, 128 of 0.4], seed 1)` gives in pretrain.py, and after the first pass.
    const [short, long] = stageRows(
      10_000,
      [
        { length: 64, share: 0.6 },
        { length: 128, share: 0.4 },
      ],
      1,
    )
    expect(short!.places(0, 5)).toEqual([449, 4097, 1857, 5505, 3265])
    expect(short!.places(92, 3)).toEqual([504, 4152, 1912])
    expect(long!.places(0, 5)).toEqual([9713, 8305, 6897, 9329, 7921])
    expect(long!.places(30, 3)).toEqual([9768, 8360, 6952])
  })

  it('come once each before any comes twice, within the stretch', () => {
    const rows = rowsOf({ length: 100, start: 5000, end: 25_000, seed: 3 })
    const places = rows.places(0, 198)
    expect(new Set(places).size).toBe(198)
    expect(Math.min(...places)).toBeGreaterThanOrEqual(5000)
    expect(Math.max(...places) + 101).toBeLessThanOrEqual(25_000)
    expect(rows.places(100, 50)).toEqual(places.slice(100, 150))
  })

  it('say when there are too few tokens', () => {
    expect(() => rowsOf({ length: 100, start: 0, end: 200, seed: 1 })).toThrow('200 tokens are too few for rows of 100: at least 201 are needed.')
  })
})

describe('a course', () => {
  const stages = [
    { name: 'short', rows: 4, length: 64, share: 0.6 },
    { name: 'long', rows: 2, length: 128, share: 0.4 },
  ]
  const course: Course = { name: 'pretrain', stages, tokens: 1000, maximumMinutes: 10, learningRate: 1, warmupSteps: 4 }
  const at = (change: object) => ({ ...startOf(course), ...change })

  it('is as far as whichever of tokens and minutes is further, and its stages follow', () => {
    expect(progress(course, at({ tokens: 300, minutes: 1 }))).toBe(0.3)
    expect(progress(course, at({ tokens: 300, minutes: 7 }))).toBe(0.7)
    expect(stageAt(course, at({ tokens: 590 }))).toBe(0)
    expect(stageAt(course, at({ tokens: 600 }))).toBe(1)
    expect(stageAt(course, at({ minutes: 6.5 }))).toBe(1)
  })

  it('warms up and then falls to zero in a straight line', () => {
    expect(learningRate(course, at({ step: 1 }))).toBe(0.5)
    expect(learningRate(course, at({ step: 9, tokens: 250 }))).toBe(0.75)
    expect(learningRate(course, at({ step: 99, tokens: 1000 }))).toBe(0)
  })
})
