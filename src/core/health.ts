/**
 * Health of a listing as this gateway saw it: how often a paid question got its answer, how soon it began, and whether the gateway was there to be asked.
 * Times are counted in steps of a fourth of an octave, so that thousands of days of them stay small. Pure; knows nothing of where they are kept.
 */

/** Days that are looked back. */
export const HEALTH_DAYS = 30
/** Steps up to about a quarter of an hour; longer ones count as the last. */
export const TIME_STEPS = 80
const PER_OCTAVE = 4

/** `halfMs` and `mostMs`: half, and 95 of 100, began within; null before the first. `up`: the share of minutes the gateway was there, 0 to 1. */
export type Health = { days: number; answered: number; failed: number; halfMs: number | null; mostMs: number | null; up: number | null }

/** Where a time in milliseconds is counted. */
export const stepOf = (milliseconds: number): number => Math.max(0, Math.min(TIME_STEPS - 1, Math.floor(PER_OCTAVE * Math.log2(Math.max(1, milliseconds)))))

/** What a share of the times lies within: the end of the step that reaches it, at most a fifth too much. Null without times. */
export function withinOf(steps: readonly number[], share: number): number | null {
  const all = steps.reduce((sum, count) => sum + count, 0)
  if (all === 0) return null
  let seen = 0
  for (const [step, count] of steps.entries()) {
    seen += count
    if (seen >= share * all) return Math.round(2 ** ((step + 1) / PER_OCTAVE))
  }
  return null
}
