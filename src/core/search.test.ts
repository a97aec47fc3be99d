/** The search's arithmetic: candidates, rungs, who goes on, who wins. */
import { expect, it } from 'vitest'
import { chooseRecipe } from './recipe.ts'
import { candidateRecipe, candidatesAround, planSearch, searchSeconds, type Trial, winner } from './search.ts'

const recipe = chooseRecipe({ trainingTokens: 100_000, maximumTokens: 256, threads: 2, maximumSeconds: 60 })
const initial = { learningRate: 3e-3, rank: 16, wordDropout: 0.25 }
const trial = (rung: number, loss: number | null, change: Partial<Trial> = {}): Trial => ({ ...initial, rung, steps: 10, loss, seconds: 1, ...change })

it('tries the recipe itself first, never the same twice, and leaves what the user fixed', () => {
  const around = candidatesAround(recipe, { varyWords: true })
  expect(around[0]).toEqual(initial)
  expect(new Set(around.map((one) => JSON.stringify(one))).size).toBe(around.length)
  expect(around.length).toBeGreaterThanOrEqual(9)
  const fixed = candidatesAround(recipe, { varyWords: false, fixed: { learningRate: 1e-4 } })
  expect(new Set(fixed.map(({ learningRate, wordDropout }) => `${learningRate} ${wordDropout}`))).toEqual(new Set(['0.0001 0.25']))
  expect(candidatesAround(recipe, { varyWords: false, fixed: { learningRate: 1e-4, rank: 4 } })).toHaveLength(1)
})

it('keeps the strength of an update when the rank changes', () => {
  const wide = candidateRecipe(recipe, { ...initial, rank: 64 }, 90)
  expect(wide.alpha / wide.rank).toBe(recipe.alpha / recipe.rank)
  expect(wide.steps).toBe(90)
  expect(wide.validateEvery).toBeLessThanOrEqual(90 / 3)
  expect(candidateRecipe(recipe, initial)).toEqual(recipe)
})

it('plans the widest search that fits, and none when four candidates do not', () => {
  const cost = (steps: number) => 2 + steps
  const plan = (seconds: number) => planSearch({ seconds, steps: 90, available: 12, cost })
  // Nine candidates: 9 * (2 + 10) + 3 * (2 + 30) = 204; six: 6 * 12 + 2 * 32 = 136; four: 4 * 12 + 2 * 32 = 112.
  expect(plan(204).rungs).toEqual([
    { candidates: 9, steps: 10 },
    { candidates: 3, steps: 30 },
  ])
  expect(plan(203).rungs?.[0]?.candidates).toBe(6)
  expect(plan(112).rungs?.[0]?.candidates).toBe(4)
  expect(plan(111)).toEqual({ rungs: null, least: 112 })
  expect(planSearch({ seconds: 1e9, steps: 90, available: 3, cost }).rungs).toBeNull()
})

it('leaves most of a budget to the training', () => {
  expect(searchSeconds(300, 100)).toBe(200)
  // The training alone would take more than there is, but half of it fits into two thirds.
  expect(searchSeconds(300, 350)).toBe(100)
  expect(searchSeconds(300, 500)).toBe(0)
})

it('takes the best of the last rung, and the default unless it is clearly beaten', () => {
  const low = { learningRate: 1e-3 }
  expect(winner([], initial)).toEqual(initial)
  expect(winner([trial(0, 2), trial(0, 1.5, low)], initial)).toEqual({ ...initial, ...low })
  expect(winner([trial(0, 2), trial(0, 1.99, low)], initial)).toEqual(initial)
  // The default did not come into the last rung, so the two are compared where both were.
  const high = { learningRate: 5e-3 }
  const rungs = [trial(0, 2), trial(0, 1.8, low), trial(0, 1.7, high), trial(1, 1.2, low), trial(1, 1.3, high)]
  expect(winner(rungs, initial)).toEqual({ ...initial, ...low })
  // One alone in the last rung was compared with nobody there.
  expect(winner(rungs.slice(0, 4), initial)).toEqual({ ...initial, ...high })
  expect(winner([trial(0, null), trial(0, 1.5, low), trial(0, 1.4, high)], initial)).toEqual({ ...initial, ...high })
})
