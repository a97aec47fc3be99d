/** Free questions: as many as the builder said, for each visitor and day. Knows nothing of models. */
import { beforeEach, expect, it } from 'vitest'
import { openTrials, type Trials } from './trial.ts'

let time = Date.UTC(2026, 0, 5, 12)
const kept = new Map<string, unknown>()
let trials: Trials
const settings = {
  get: async (key: string) => kept.get(key),
  set: async (key: string, value: unknown) => void (value === undefined ? kept.delete(key) : kept.set(key, value)),
}
beforeEach(() => {
  kept.clear()
  trials = openTrials({ settings }, () => time)
})

it('gives nothing away unless the builder says so, then as many a day as was said', async () => {
  expect(await trials.take('hearts', 'ann')).toBeUndefined()
  await trials.set('hearts', 2)
  expect([await trials.take('hearts', 'ann'), await trials.take('hearts', 'ann'), await trials.take('hearts', 'ann')]).toEqual([1, 0, undefined])
  expect([await trials.left('hearts', 'ann'), await trials.left('hearts', 'bob')]).toEqual([0, 2])
  expect(await trials.take('lungs', 'ann')).toBeUndefined()
  time += 86_400_000
  expect(await trials.take('hearts', 'ann')).toBe(1)
  await trials.set('hearts', 0)
  expect(await trials.take('hearts', 'bob')).toBeUndefined()
})

it('asked many times at once gives no more than there are', async () => {
  await trials.set('hearts', 3)
  const taken = await Promise.all(Array.from({ length: 10 }, () => trials.take('hearts', 'ann')))
  expect(taken.filter((left) => left !== undefined).sort()).toEqual([0, 1, 2])
})
