/**
 * Report: how a set of weights did on the sealed exam, beside the base model and a strong cheap baseline, with
 * intervals. The metrics are here, pure, so anyone can recompute a score. Knows nothing of models.
 */
import { z } from 'zod'
import { contentId, Id } from './id.ts'

export const Arm = z.object({
  /** `neural` is the trained adapter without its classical part, where it has one; `classical` that part alone, where it is more than `baseline`. */
  name: z.enum(['tuned', 'neural', 'classical', 'base', 'baseline']),
  /** What the arm is, in words, e.g. "TF-IDF n-grams + linear SVM". */
  what: z.string(),
  score: z.number(),
  /** 95 % bootstrap interval of the score. */
  interval: z.tuple([z.number(), z.number()]),
  /** Further figures by name, e.g. accuracy, refusal precision. */
  figures: z.record(z.string(), z.number()),
})
export type Arm = z.infer<typeof Arm>

/** The model as served beside another arm on the same cases, by the paired bootstrap. A tie is an interval that contains zero. */
export const Difference = z.object({
  against: Arm.shape.name,
  difference: z.number(),
  interval: z.tuple([z.number(), z.number()]),
  outcome: z.enum(['win', 'tie', 'loss']),
  /** Cases that came out strictly better, strictly worse. */
  better: z.number().int().nonnegative(),
  worse: z.number().int().nonnegative(),
})
export type Difference = z.infer<typeof Difference>

/** What the publish gate says. `unproven` is published with a label, `worse` is not published. */
export const Verdict = z.object({ outcome: z.enum(['proven', 'unproven', 'worse']), why: z.string(), differences: z.array(Difference) })
export type Verdict = z.infer<typeof Verdict>

export const Report = z.object({
  weightsId: Id,
  examId: Id,
  n: z.number().int().positive(),
  metric: z.string(),
  arms: z.array(Arm),
  /** Hash of the per-case predictions, kept in the store. */
  predictions: Id,
  /** Median milliseconds of one tuned answer on the machine that ran the exam. */
  latencyMs: z.number().nonnegative(),
  // Absent in reports written before exams were sealed: a default would change their content hash.
  /** Merkle root of the exam, as it is committed on chain. */
  root: Id.optional(),
  /** When the chain says the root was committed, in Unix seconds, as read before the training; null where it was not. */
  committedAt: z.number().int().nullable().optional(),
  /** How many times models of this name had sat this exam, with this time. */
  attempt: z.number().int().positive().optional(),
  bootstrap: z.object({ draws: z.number().int().positive(), seed: z.number().int() }).optional(),
  verdict: Verdict.optional(),
})
export type Report = z.infer<typeof Report>

export const reportId = (report: Report): Id => contentId(report)

/** Share of cases where prediction and truth are the same. */
export function accuracy(predicted: readonly string[], truth: readonly string[]): number {
  let right = 0
  for (const [index, value] of truth.entries()) if (predicted[index] === value) right++
  return truth.length ? right / truth.length : 0
}

/** Mean over the classes present in truth or prediction of 2TP / (2TP + FP + FN). */
export function macroF1(predicted: readonly string[], truth: readonly string[]): number {
  const counts = new Map<string, { hit: number; wrong: number; missed: number }>()
  const of = (label: string) => {
    const found = counts.get(label) ?? { hit: 0, wrong: 0, missed: 0 }
    counts.set(label, found)
    return found
  }
  for (const [index, value] of truth.entries()) {
    const guess = predicted[index]!
    if (guess === value) of(value).hit++
    else {
      of(guess).wrong++
      of(value).missed++
    }
  }
  const scores = [...counts.values()].map(({ hit, wrong, missed }) => (2 * hit) / (2 * hit + wrong + missed))
  return scores.length ? scores.reduce((sum, score) => sum + score, 0) / scores.length : 0
}

/** What one case adds to an F1: right among what was said, what was said, and what there was to say. */
export type Tally = { hit: number; said: number; right: number }

/** F1, precision and recall over cases (micro). 1 where there is nothing to say and nothing was said. */
export function tallied(tallies: readonly Tally[]): { f1: number; precision: number; recall: number; exact: number } {
  let [hit, said, right, exact] = [0, 0, 0, 0]
  for (const one of tallies) {
    hit += one.hit
    said += one.said
    right += one.right
    if (one.hit === one.said && one.hit === one.right) exact++
  }
  if (!said && !right) return { f1: 1, precision: 1, recall: 1, exact: 1 }
  return { f1: (2 * hit) / (said + right), precision: said ? hit / said : 0, recall: right ? hit / right : 0, exact: exact / tallies.length }
}

/** Labels of one case beside the right ones. */
export function labelTally(predicted: readonly string[], truth: readonly string[]): Tally {
  return { hit: predicted.filter((label) => truth.includes(label)).length, said: predicted.length, right: truth.length }
}

type Span = { type: string; start: number; end: number }

/** Entities of one case beside the right ones: type and both ends must be right (CoNLL-2003). */
export function entityTally(predicted: readonly Span[], truth: readonly Span[]): Tally {
  const keys = (spans: readonly Span[]) => new Set(spans.map(({ type, start, end }) => `${start} ${end} ${type}`))
  const [guesses, right] = [keys(predicted), keys(truth)]
  let hit = 0
  for (const guess of guesses) if (right.has(guess)) hit++
  return { hit, said: guesses.size, right: right.size }
}

/** The words of a text as texts are compared: without case or punctuation. */
export const words = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []

/** Token-F1 (SQuAD, Rajpurkar et al. 2016) between two texts, on words with case and punctuation removed. */
export function tokenF1(answer: string, reference: string): number {
  const left = words(answer)
  const right = words(reference)
  if (!left.length || !right.length) return left.length === right.length ? 1 : 0
  const counts = new Map<string, number>()
  for (const word of right) counts.set(word, (counts.get(word) ?? 0) + 1)
  let common = 0
  for (const word of left) {
    const available = counts.get(word) ?? 0
    if (available > 0) {
      common++
      counts.set(word, available - 1)
    }
  }
  return common === 0 ? 0 : (2 * common) / (left.length + right.length)
}

/** A small fast generator with a seed (mulberry32), so that intervals come out the same everywhere. */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** How every interval is drawn. */
export const BOOTSTRAP = { draws: 1000, seed: 1 }

/** 95 % percentile bootstrap interval of `score` over `n` cases; `score` gets the indices drawn. */
export function bootstrap(n: number, score: (indices: readonly number[]) => number, { draws, seed } = BOOTSTRAP): [number, number] {
  const next = random(seed)
  const scores = Array.from({ length: draws }, () => score(Array.from({ length: n }, () => Math.floor(next() * n)))).sort((a, b) => a - b)
  return [scores[Math.floor(draws * 0.025)]!, scores[Math.min(draws - 1, Math.floor(draws * 0.975))]!]
}
