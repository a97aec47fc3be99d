/**
 * A recipe -> a better one: tries candidates against each other in short trainings and keeps the one that does best on
 * practice, within its seconds. What is finished is told at once, so that nothing is trained twice after a crash.
 * Knows nothing of how training is done.
 */
import type { Recipe } from '../core/recipe.ts'
import { type Candidate, candidateRecipe, type Rung, type Search, same, survivors, type Trial, winner } from '../core/search.ts'

export type SearchOptions = {
  recipe: Recipe
  candidates: readonly Candidate[]
  rungs: readonly Rung[]
  /** Seconds the whole search may take, those of `trials` included. */
  seconds: number
  /** Seconds that training a candidate for a number of steps is expected to take. */
  cost: (steps: number) => number
  /** What a search cut short had finished. */
  trials?: readonly Trial[]
  /** Trains one candidate in a folder of its own; null when it cannot be trained. */
  fit: (recipe: Recipe, name: string) => Promise<number | null>
  /** In milliseconds. */
  now: () => number
  /** Called after every trial with all so far. */
  onTrial?: ((trials: readonly Trial[]) => void | Promise<void>) | undefined
}

/** Runs the rungs until they or the seconds end. */
export async function search(options: SearchOptions): Promise<Search> {
  const { recipe, rungs, seconds } = options
  const trials = [...(options.trials ?? [])]
  const spent = () => trials.reduce((sum, trial) => sum + trial.seconds, 0)
  const initial = options.candidates[0]!
  climb: for (const [rung, { candidates: count, steps }] of rungs.entries()) {
    const entrants = rung === 0 ? options.candidates.slice(0, count) : survivors(trials, rung - 1, count)
    // A rung of one compares nothing: the training itself is its last.
    if (entrants.length < 2) break
    for (const [index, candidate] of entrants.entries()) {
      if (trials.some((trial) => trial.rung === rung && same(trial, candidate))) continue
      // What the rung's earlier candidates took is known better than what was predicted.
      const earlier = trials.filter((trial) => trial.rung === rung).map((trial) => trial.seconds)
      const expected = earlier.length ? Math.max(...earlier) : options.cost(steps)
      if (spent() + expected > seconds) break climb
      const began = options.now()
      const limited = { ...candidateRecipe(recipe, candidate, steps), maximumSeconds: Math.max(1, seconds - spent()) }
      const loss = await options.fit(limited, `${rung}-${index}`)
      trials.push({ ...candidate, rung, steps, loss, seconds: Math.round(options.now() - began) / 1000 })
      await options.onTrial?.(trials)
    }
  }
  return { trials, chosen: winner(trials, initial), seconds: spent(), budgetSeconds: seconds }
}
