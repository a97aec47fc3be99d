/**
 * Mix: the neural weights' label probabilities and the classical part's scores made one distribution, and how much each
 * should say, chosen on practice. Knows nothing of how either came by its numbers.
 */
import type { Expert } from '../core/weights.ts'
import type { LoadedBaseline } from '../ports/baseline.ts'
import { clearlyBetter } from './worth.ts'

/** The classical part as it is served: its settings, and what scores. */
export type LoadedExpert = { settings: Pick<Expert, 'share' | 'temperature'>; baseline: LoadedBaseline }

const SHARES = Array.from({ length: 11 }, (_, index) => index / 10)
const TEMPERATURES = [1, 2, 4, 8]

/** Scores in the order of `labels`; a label the classical part does not know gets its lowest. */
export function aligned(baseline: LoadedBaseline, labels: readonly string[], row: readonly number[]): number[] {
  const lowest = Math.min(...row)
  return labels.map((label) => row[baseline.labels.indexOf(label)] ?? lowest)
}

/** log p = (1 - share) log p_neural + share log softmax(temperature * scores), normalised. All rows in one order of labels. */
export function mix(neural: readonly number[], scores: readonly number[], settings: LoadedExpert['settings']): number[] {
  const { share, temperature } = settings
  const classical = softmax(scores.map((score) => score * temperature))
  return softmax(
    neural.map((probability, index) => (1 - share) * Math.log(Math.max(probability, 1e-12)) + share * Math.log(Math.max(classical[index]!, 1e-12))),
  )
}

export type MixCase = { neural: readonly number[]; scores: readonly number[]; truth: number }

/** Of `shares`, the one with the lowest mean cross-entropy on practice, and its temperature; the first of equals. */
export function chooseMix(cases: readonly MixCase[], shares: readonly number[] = SHARES): LoadedExpert['settings'] {
  let best = { share: shares[0] ?? 0, temperature: 1, loss: Number.POSITIVE_INFINITY }
  for (const share of shares)
    for (const temperature of share === 0 ? [1] : TEMPERATURES) {
      const loss = cases.reduce((sum, { neural, scores, truth }) => sum - Math.log(Math.max(mix(neural, scores, { share, temperature })[truth]!, 1e-12)), 0)
      if (loss < best.loss - 1e-9) best = { share, temperature, loss }
    }
  return { share: best.share, temperature: best.temperature }
}

/**
 * {@link chooseMix} for labels, of which each counts the same in an exam, however rare it is. Cross-entropy leans to the frequent ones: where one of
 * the parts alone clearly finds more of the labels on practice (their mean recall) than both together, that part decides alone.
 */
export function chooseLabelMix(cases: readonly MixCase[]): LoadedExpert['settings'] {
  const together = chooseMix(cases)
  const counts = new Map<number, number>()
  for (const { truth } of cases) counts.set(truth, (counts.get(truth) ?? 0) + 1)
  /** What each case adds to the mean recall of the labels, by what these settings say of it. */
  const found = (settings: LoadedExpert['settings']) =>
    cases.map(({ neural, scores, truth }) => {
      const mixed = mix(neural, scores, settings)
      return mixed.indexOf(Math.max(...mixed)) === truth ? cases.length / (counts.size * counts.get(truth)!) : 0
    })
  let best = { settings: together, found: found(together) }
  for (const settings of [chooseMix(cases, [0]), chooseMix(cases, [1])]) {
    const alone = found(settings)
    if (clearlyBetter(alone, best.found)) best = { settings, found: alone }
  }
  return best.settings
}

function softmax(values: readonly number[]): number[] {
  const largest = Math.max(...values)
  const weights = values.map((value) => Math.exp(value - largest))
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}
