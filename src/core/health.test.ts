/** Times counted in steps, and what of them can be told. */
import { expect, it } from 'vitest'
import { stepOf, TIME_STEPS, withinOf } from './health.ts'

const counted = (times: readonly number[]) => {
  const steps = new Array<number>(TIME_STEPS).fill(0)
  for (const time of times) steps[stepOf(time)]!++
  return steps
}

it('tells what half and most of the times lie within, at most a fifth too much and never too little', () => {
  const times = Array.from({ length: 1000 }, (_, place) => 3 + place * 1.7).sort((a, b) => a - b)
  for (const share of [0.5, 0.95]) {
    const [exact, told] = [times[Math.ceil(share * times.length) - 1]!, withinOf(counted(times), share)!]
    expect(told).toBeGreaterThanOrEqual(Math.floor(exact))
    expect(told).toBeLessThanOrEqual(Math.ceil(exact * 1.2))
  }
  expect(withinOf(counted([0, -5, 1e12]), 0.5)).toBe(1)
  expect(withinOf(counted([1e12]), 0.5)).toBe(2 ** 20)
  expect(withinOf(counted([]), 0.5)).toBeNull()
})
