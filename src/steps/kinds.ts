/**
 * Text -> several kinds at once: after the text each kind is named and the model says whether it holds, all in one pass. Training,
 * serving and the exam share what is here. Knows nothing of where examples come from.
 */
import type { Example } from '../core/dataset.ts'
import { kindsPrompt, type Prompt, SUPPORTING, windows } from '../core/prompt.ts'
import type { Expert } from '../core/weights.ts'
import type { Baseline, LoadedBaseline } from '../ports/baseline.ts'
import type { Scorer, Vocabulary } from '../ports/runtime.ts'
import type { LoadedExpert } from './mix.ts'

const MARKERS = 6
/** The kind of a text that is of none. */
const NONE = 'none'

/** Pieces of the text, and runs of kinds to ask of each, that fit the base together. */
function asked(input: string, labels: readonly string[], vocabulary: Vocabulary): { pieces: string[]; runs: string[][] } {
  const half = Math.floor((vocabulary.contextLength - MARKERS) / 2)
  const runs: string[][] = [[]]
  let used = 0
  let most = 0
  for (const label of labels) {
    const cost = vocabulary.count(` ${label}`) + 1
    if (runs.at(-1)!.length && used + cost > half) {
      runs.push([])
      used = 0
    }
    runs.at(-1)!.push(label)
    used += cost
    most = Math.max(most, used)
  }
  return { pieces: windows(input, Math.max(8, vocabulary.contextLength - MARKERS - most), (piece) => vocabulary.count(piece)), runs }
}

/** The prompts an example teaches with; pieces of a long text count less each. */
export function kindsPrompts(example: Example, labels: readonly string[], vocabulary: Vocabulary): Prompt[] {
  const held = new Set(example.labels ?? [])
  const { pieces, runs } = asked(example.input, labels, vocabulary)
  return pieces.flatMap((piece) =>
    runs.map((run) =>
      kindsPrompt(
        piece,
        run,
        run.map((label) => held.has(label)),
        1 / pieces.length,
      ),
    ),
  )
}

/** Whether each kind holds, 0 to 1, in the order of `labels`: of a long text, where it holds most. */
export async function kindsOf(
  served: { vocabulary: Vocabulary; scorer: Scorer },
  input: string,
  labels: readonly string[],
  signal?: AbortSignal,
): Promise<number[]> {
  const { pieces, runs } = asked(input, labels, served.vocabulary)
  const scored = await served.scorer.score(
    pieces.flatMap((piece) => runs.map((run) => kindsPrompt(piece, run))),
    { signal },
  )
  const best = new Map<string, number>()
  for (const [index, reads] of scored.entries())
    for (const [place, label] of runs[index % runs.length]!.entries()) best.set(label, Math.max(best.get(label) ?? 0, reads[place]![SUPPORTING]!))
  return labels.map((label) => best.get(label)!)
}

/** The classical part's scores in the order of `labels`, above 0 where it believes in one. */
export function scoresOf(baseline: LoadedBaseline, labels: readonly string[], row: readonly number[]): number[] {
  return labels.map((label) => row[baseline.labels.indexOf(label)] ?? -1)
}

/** log-odds = (1 - share) log-odds of the model + share * temperature * score. */
export function mixKinds(neural: readonly number[], scores: readonly number[], { share, temperature }: LoadedExpert['settings']): number[] {
  return neural.map((probability, index) => {
    const kept = Math.min(1 - 1e-6, Math.max(1e-6, probability))
    return 1 / (1 + Math.exp(-((1 - share) * Math.log(kept / (1 - kept)) + share * temperature * scores[index]!)))
  })
}

export type KindCase = { neural: number[]; scores: number[]; held: boolean[] }

/** Share and temperature with the least cross-entropy over all kinds of practice. */
export function chooseKindMix(cases: readonly KindCase[]): Pick<Expert, 'share' | 'temperature'> {
  let best = { share: 0, temperature: 1, loss: Number.POSITIVE_INFINITY }
  for (let share = 0; share <= 10; share++)
    for (const temperature of share === 0 ? [1] : [1, 2, 4, 8]) {
      const settings = { share: share / 10, temperature }
      let loss = 0
      for (const { neural, scores, held } of cases)
        for (const [index, probability] of mixKinds(neural, scores, settings).entries())
          loss -= Math.log(Math.max(1e-12, held[index] ? probability : 1 - probability))
      if (loss < best.loss - 1e-9) best = { ...settings, loss }
    }
  return { share: best.share, temperature: best.temperature }
}

/** The threshold with the best F1 over all kinds of practice. */
export function chooseKindThreshold(cases: readonly { values: readonly number[]; held: readonly boolean[] }[], candidates: readonly number[]): number {
  let best = { threshold: candidates[0]!, score: -1 }
  for (const threshold of candidates) {
    const counts = { hit: 0, said: 0, right: 0 }
    for (const { values, held } of cases)
      for (const [index, value] of values.entries()) {
        if (value >= threshold) counts.said++
        if (held[index]) counts.right++
        if (value >= threshold && held[index]) counts.hit++
      }
    const score = counts.said + counts.right ? (2 * counts.hit) / (counts.said + counts.right) : 1
    if (score > best.score + 1e-9) best = { threshold, score }
  }
  return best.threshold
}

export const PROBABILITIES = Array.from({ length: 49 }, (_, index) => Math.round((index + 1) * 2) / 100)
export const MARGINS = Array.from({ length: 41 }, (_, index) => (index - 20) / 20)

export const heldOf = (example: Example, labels: readonly string[]): boolean[] => labels.map((label) => example.labels?.includes(label) ?? false)

/** Fits the classical part on examples of several kinds. */
export function fitKinds(
  ports: { baseline: Baseline },
  options: { training: readonly Example[]; practice: readonly Example[]; signal?: AbortSignal | undefined },
) {
  const rows = (examples: readonly Example[]) => examples.map(({ input, labels = [] }) => ({ input, label: labels[0] ?? NONE, labels }))
  return ports.baseline.fit({ training: rows(options.training), practice: rows(options.practice), signal: options.signal })
}
