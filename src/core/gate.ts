/**
 * The publish gate: from the scores of every arm on the same cases to one of three verdicts, with the reason in plain words. Pure; it
 * follows from a sheet alone, so anyone can check it. Knows nothing of listings.
 */
import type { Arm, Difference, Report, Verdict } from './report.ts'
import { armOf, differenceOf, METRICS, type Scores, type Sheet, scores } from './sheet.ts'

/** What each arm is called in a sentence. */
const NAMES: Record<Arm['name'], string> = {
  tuned: 'the model',
  neural: 'its trained part alone',
  classical: 'its word-counting part alone',
  base: 'the base model without training',
  baseline: 'a simple method that costs nothing',
}

/** Recomputes what a report says from the sheet; `what` says in words what each arm is. @throws RangeError when an arm is not whole. */
export function scored(sheet: Sheet, what: readonly Pick<Arm, 'name' | 'what'>[]): Pick<Report, 'n' | 'metric' | 'arms'> & { verdict: Verdict } {
  const truth = sheet.cases.map((one) => one.truth)
  const each = what.map((arm) => ({ ...arm, scores: scores(sheet.kind, sheet.arms[arm.name] ?? [], truth, sheet.labels) }))
  const arms = each.map((arm) => armOf(arm.name, arm.what, arm.scores))
  const tuned = each.find(({ name }) => name === 'tuned')
  if (!tuned) throw new RangeError('The sheet does not say what the model said.')
  const others: { name: Arm['name']; scores: Scores }[] = each.filter((arm) => arm !== tuned)
  const differences = others.map((other) => differenceOf(other.name, tuned.scores, other.scores))
  return { n: truth.length, metric: METRICS[sheet.kind], arms, verdict: judge(truth.length, differences) }
}

/**
 * Proven: surely better than its base, and not surely worse than the simple method. Worse: surely worse than its base. Unproven: all else.
 * "Surely" is a 95 % interval of the paired difference that does not contain zero.
 */
export function judge(n: number, differences: readonly Difference[]): Verdict {
  const base = differences.find(({ against }) => against === 'base')
  const baseline = differences.find(({ against }) => against === 'baseline')
  const compared = [base, baseline].filter((one) => one !== undefined)
  const outcome =
    base?.outcome === 'loss'
      ? ('worse' as const)
      : base?.outcome === 'win' && baseline && baseline.outcome !== 'loss'
        ? ('proven' as const)
        : ('unproven' as const)
  const why = compared.length
    ? `On ${n} sealed cases the model did ${compared.map(sentence).join(', and ')}.`
    : `Nothing was examined beside the model on its ${n} sealed cases.`
  return { outcome, why, differences: [...differences] }
}

function sentence({ against, difference, interval, outcome }: Difference): string {
  const bounds = `${signed(difference)}, between ${signed(interval[0])} and ${signed(interval[1])}`
  if (difference === 0 && interval[0] === 0 && interval[1] === 0) return `exactly as well as ${NAMES[against]}`
  if (outcome === 'tie') return `about as well as ${NAMES[against]} (${bounds}, which may be chance)`
  return `${outcome === 'win' ? 'better' : 'worse'} than ${NAMES[against]} (${bounds})`
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(3)}`
}
