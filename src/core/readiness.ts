/**
 * Readiness: how good a model of this dataset will be, and what more examples would do, before anything is trained: a learning curve
 * of a cheap stand-in, a power law through it, its uncertainty, and the sentence that says so. Knows nothing of how points are measured.
 */
import { z } from 'zod'

export const Readiness = z.object({
  /** What stood in for the model, in words. */
  proxy: z.string(),
  metric: z.string(),
  /** Cases the points were measured on. */
  practice: z.number().int(),
  points: z.array(z.object({ examples: z.number().int(), score: z.number() })),
  /** Today's score, and the 80 % interval that resampling gives. */
  now: z.object({ examples: z.number().int(), score: z.number(), interval: z.tuple([z.number(), z.number()]) }),
  /** What more examples would do; null where the curve says nothing about that. */
  next: z.object({ more: z.number().int(), score: z.number(), interval: z.tuple([z.number(), z.number()]) }).nullable(),
  /** Kinds or topics by the examples there are, most first. */
  topics: z.array(z.object({ name: z.string(), examples: z.number().int() })),
  /** Seconds the training will take at most. */
  seconds: z.number(),
})
export type Readiness = z.infer<typeof Readiness>

/** error(n) = floor + size * n^-rate; errors from 0 to 1. */
export type Law = { floor: number; size: number; rate: number }

/** Errors fall by a rate in this range as examples grow, in text tasks (Hestness et al. 2017, "Deep Learning Scaling is Predictable"). */
const RATES = [0.07, 1] as const
/** Share of the lowest error seen that may be beyond reach of any number of examples. */
const FLOORS = [0, 0.25, 0.5, 0.75]
/** Three points and noise do not tell the floor: what every task shares is believed unless the points speak against it. */
const FLOOR_COST = 0.0004

/** The power law with the least squared distance to the points. */
export function fitLaw(points: readonly { examples: number; error: number }[]): Law {
  const lowest = Math.max(1e-4, Math.min(...points.map(({ error }) => error)))
  let best = { law: { floor: 0, size: lowest, rate: RATES[0] } as Law, cost: Number.POSITIVE_INFINITY }
  for (const share of FLOORS)
    for (let rate: number = RATES[0]; rate <= RATES[1] + 1e-9; rate += 0.03) {
      const floor = share * lowest
      // For one rate and floor the size has a closed form.
      const basis = points.map(({ examples }) => examples ** -rate)
      const size = Math.max(
        0,
        basis.reduce((sum, value, index) => sum + value * (points[index]!.error - floor), 0) / basis.reduce((sum, value) => sum + value * value, 0),
      )
      const distance = basis.reduce((sum, value, index) => sum + (floor + size * value - points[index]!.error) ** 2, 0) / points.length
      const cost = distance + FLOOR_COST * share
      if (cost < best.cost - 1e-12) best = { law: { floor, size, rate }, cost }
    }
  return best.law
}

export const errorAt = (law: Law, examples: number): number => Math.min(1, law.floor + law.size * examples ** -law.rate)

const of100 = (score: number): number => Math.round(100 * score)

/** The readiness in two or three plain sentences. */
export function describeReadiness(readiness: Readiness): string[] {
  const { now, next, topics } = readiness
  const lines: string[] = []
  const [most, least] = [topics[0], topics.at(-1)]
  if (most && least && most !== least) lines.push(`You have ${count(most.examples)} about "${most.name}" and ${least.examples} about "${least.name}".`)
  const minutes = Math.max(1, Math.round(readiness.seconds / 60))
  const time = `${minutes} ${minutes === 1 ? 'minute' : 'minutes'} on this computer`
  const today = `about ${of100(now.score)} of 100 (${of100(now.interval[0])} to ${of100(now.interval[1])})`
  if (!next) lines.push(`With what you have it should get ${today}; training takes at most ${time}.`)
  else if (next.score - now.score < 0.015)
    lines.push(
      `With what you have it should get ${today}; even ${next.more} more examples of the same kind would hardly change that. Training takes at most ${time}.`,
    )
  else
    lines.push(
      `About ${next.more} more would lift it from ${today} to about ${of100(next.score)} (${of100(next.interval[0])} to ${of100(next.interval[1])}); training takes at most ${time}.`,
    )
  lines.push(
    `Told by ${readiness.proxy} in the model's place, ${readiness.metric}, on ${readiness.practice} of your examples, each judged by what did not learn from it.`,
  )
  return lines
}

const count = (examples: number): string => `${examples} ${examples === 1 ? 'example' : 'examples'}`
