import { expect, it } from 'vitest'
import { itemsOf, PROBES, wilson } from './probes.ts'

it('makes the same items each time, with two different endings, and the right one is not always the same', () => {
  for (const name of Object.keys(PROBES)) {
    const items = itemsOf(name)
    expect(itemsOf(name)).toEqual(items)
    for (const { right, wrong } of items) expect(right).not.toBe(wrong)
    const rights = new Map<string, number>()
    for (const { right } of items) rights.set(right, (rights.get(right) ?? 0) + 1)
    // A base that always prefers one ending stays near one half.
    expect(Math.max(...rights.values()) / items.length, name).toBeLessThan(0.65)
  }
})

it('shows four examples where it says four', () => {
  for (const { start } of itemsOf('praise or blame, four examples')) expect(start.split('\n')).toHaveLength(5)
  for (const { start, right } of itemsOf('agreement across a phrase')) {
    const many = /^The (children|companies|\w+s)\b/.test(start)
    expect([' are', ' were', ' have', ' do'].includes(right), start).toBe(many)
  }
})

it('gives the interval of Wilson', () => {
  const [low, high] = wilson(8, 10)
  expect(low).toBeCloseTo(0.4902, 3)
  expect(high).toBeCloseTo(0.9433, 3)
})
