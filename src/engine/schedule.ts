/**
 * Schedule: the learning rate over a run, a linear warm-up and then a cosine. Knows nothing of what is trained.
 */

/** The cosine ends here, not at zero, so the last steps still learn a little. */
const FLOOR = 0.02
/** This share of the time limit does not count, so that a run which fits its limit never depends on the clock. */
const GRACE = 0.1

/**
 * The share of the full learning rate at `step` (from 0). The cosine follows whichever bound is further along, steps or
 * seconds, so a run cut short by its time limit still ends at the low end.
 */
export function rate(step: number, options: { warmupSteps: number; steps: number; seconds: number; maximumSeconds: number }): number {
  const warmup = Math.min(1, (step + 1) / (options.warmupSteps + 1))
  const time = (options.seconds / options.maximumSeconds - GRACE) / (1 - GRACE)
  const done = Math.min(1, Math.max(step / options.steps, time))
  return warmup * (FLOOR + (1 - FLOOR) * 0.5 * (1 + Math.cos(Math.PI * done)))
}
