/**
 * Search: which recipes are tried against each other before the training, for how long, and which wins: successive halving
 * (Jamieson and Talwalkar 2016). Every rung trains its candidates to the end of their own short schedule, because a loss
 * in the middle of one favours small learning rates; the best third go on to the next. Knows nothing of trainers or clocks.
 */
import { z } from 'zod'
import { paceOf, type Recipe } from './recipe.ts'

export const Candidate = z.object({ learningRate: z.number().positive(), rank: z.number().int().positive(), wordDropout: z.number().min(0).max(0.9) })
export type Candidate = z.infer<typeof Candidate>

/** One candidate trained for one rung; a loss of null: it could not be trained, e.g. because it diverged. */
export const Trial = Candidate.extend({
  rung: z.number().int().nonnegative(),
  steps: z.number().int().positive(),
  loss: z.number().nullable(),
  seconds: z.number().nonnegative(),
})
export type Trial = z.infer<typeof Trial>

/** What was tried, kept with the weights. */
export const Search = z.object({
  trials: z.array(Trial),
  chosen: Candidate,
  seconds: z.number().nonnegative(),
  budgetSeconds: z.number().nonnegative(),
})
export type Search = z.infer<typeof Search>

/** A rung keeps this share's inverse of its candidates, and trains this many times longer than the one before. */
const ETA = 3
/** Numbers of candidates of a search, the most that fit the time first. Fewer than four is no search. */
const WIDTHS = [9, 6, 4]
/** A candidate must lose this much less than the default to be taken in its place: less is the noise of short runs. */
const MARGIN = 0.01

/** One round of halving: the `candidates` best so far train `steps` each. */
export type Rung = { candidates: number; steps: number }

/** Candidates around a recipe, itself first, then in the order in which they are worth a try. Settings the user fixed are not varied. */
export function candidatesAround(recipe: Recipe, options: { varyWords: boolean; fixed?: Partial<Recipe> | undefined }): Candidate[] {
  const { fixed = {} } = options
  const words = recipe.wordDropout
  const variants: [rate: number, rank: number, words: number][] = [
    ...([
      [1, 1, words],
      [0.5, 1, words],
      [2, 1, words],
      [1, 0.5, words],
      [1, 1, 0.4],
      [0.5, 2, words],
    ] as const),
    ...([
      [1, 1, 0.1],
      [0.25, 1, words],
      [2, 0.5, words],
      [0.5, 0.5, words],
      [1, 2, words],
      [0.5, 1, 0.4],
    ] as const),
  ].map(([rate, rank, left]) => [rate, rank, left])
  const found = new Map<string, Candidate>()
  for (const [rate, rank, left] of variants) {
    const candidate: Candidate = {
      learningRate: fixed.learningRate ?? Number((recipe.learningRate * rate).toPrecision(3)),
      rank: fixed.rank ?? Math.max(1, Math.round(recipe.rank * rank)),
      wordDropout: options.varyWords && fixed.wordDropout === undefined && recipe.wordDropout > 0 ? left : recipe.wordDropout,
    }
    // All weights are trained without a rank.
    if (recipe.method === 'full') candidate.rank = recipe.rank
    const key = JSON.stringify(candidate)
    if (!found.has(key)) found.set(key, candidate)
  }
  return [...found.values()]
}

/** The recipe of a candidate for a number of steps. */
export function candidateRecipe(recipe: Recipe, candidate: Candidate, steps = recipe.steps): Recipe {
  const pace = steps === recipe.steps ? {} : { ...paceOf(steps), validateEvery: Math.max(5, Math.ceil(steps / 4)) }
  return { ...recipe, ...candidate, alpha: (recipe.alpha / recipe.rank) * candidate.rank, ...pace }
}

/** The rungs of a search of `width` candidates for a training of `steps`. */
function rungsOf(width: number, steps: number): Rung[] {
  const short = (part: number) => Math.max(10, Math.ceil(steps / part))
  return [
    { candidates: width, steps: short(ETA * ETA) },
    { candidates: Math.ceil(width / ETA), steps: short(ETA) },
  ]
}

/**
 * The widest search that fits `seconds`, or null. `cost` is the seconds of training one candidate for a number of steps.
 * @returns also the cost of the smallest search, to say what would be needed
 */
export function planSearch(options: { seconds: number; steps: number; available: number; cost: (steps: number) => number }): {
  rungs: Rung[] | null
  least: number
} {
  const costOf = (rungs: readonly Rung[]) => rungs.reduce((sum, rung) => sum + rung.candidates * options.cost(rung.steps), 0)
  const plans = WIDTHS.filter((width) => width <= options.available).map((width) => rungsOf(width, options.steps))
  const least = Math.min(...plans.map(costOf))
  return { rungs: plans.find((rungs) => costOf(rungs) <= options.seconds) ?? null, least }
}

/**
 * Seconds of a budget that may go into a search beside a training predicted to take `training`: what the training leaves;
 * or a third of the budget, when the rest is enough for at least half of the training.
 */
export function searchSeconds(budget: number, training: number): number {
  const left = budget - training
  return Math.max(0, left, (budget * 2) / 3 >= training / 2 ? budget / 3 : 0)
}

/** Those of a rung that go on, best first; candidates without a loss never do. */
export function survivors(trials: readonly Trial[], rung: number, count: number): Candidate[] {
  return trials
    .filter((trial) => trial.rung === rung && trial.loss !== null)
    .sort((a, b) => a.loss! - b.loss!)
    .slice(0, count)
    .map(({ learningRate, rank, wordDropout }) => ({ learningRate, rank, wordDropout }))
}

/**
 * The winner: the best of the last rung in which at least two were trained. The default stays when it is within
 * {@link MARGIN} of the best in the last rung both were in, or when nothing was compared.
 */
export function winner(trials: readonly Trial[], initial: Candidate): Candidate {
  for (const rung of [1, 0]) {
    if (trials.filter((trial) => trial.rung === rung && trial.loss !== null).length < 2) continue
    const best = survivors(trials, rung, 1)[0]!
    const lossIn = (candidate: Candidate, which: number) => trials.find((trial) => trial.rung === which && same(trial, candidate))?.loss ?? null
    for (let both = rung; both >= 0; both--) {
      const own = lossIn(initial, both)
      if (own === null) continue
      return lossIn(best, both)! < own * (1 - MARGIN) ? best : initial
    }
    return best
  }
  return initial
}

export function same(a: Candidate, b: Candidate): boolean {
  return a.learningRate === b.learningRate && a.rank === b.rank && a.wordDropout === b.wordDropout
}

/** One line for each candidate tried, then what won. */
export function describeSearch(search: Search): string[] {
  const line = ({ learningRate, rank, wordDropout }: Candidate) =>
    `learning rate ${learningRate}, rank ${rank}, words left out ${Math.round(100 * wordDropout)} %`
  return [
    ...search.trials.map(
      (trial) =>
        `tried ${line(trial)}, ${trial.steps} steps in ${Math.round(trial.seconds)} s: ${trial.loss === null ? 'not trainable' : `practice loss ${trial.loss.toFixed(3)}`}`,
    ),
    `chosen ${line(search.chosen)}`,
  ]
}
