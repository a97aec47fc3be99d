/**
 * Served model + sealed cases -> what it says to them, by the same arrow that paid queries take; and that beside what the exam
 * sheet says of the version that was examined. Knows nothing of who pays, or of what follows from a drop.
 */
import type { Answer } from '../core/answer.ts'
import type { OpenedExam } from '../core/exam.ts'
import { pairedDifference } from '../core/metrics.ts'
import { type Kind, type Said, type Sheet, scores } from '../core/sheet.ts'
import { answer, type Served, unreadable } from './answer.ts'
import { kindOf, saidOf } from './examine.ts'

/** `served` and `expected` are scores on the same cases: now, and by the sheet. */
export type Comparison = { n: number; of: number; served: number; expected: number; interval: [number, number]; outcome: 'win' | 'tie' | 'loss' }

/** Places of a sample, spread evenly over the cases; all of them when they are few. */
export function sample(cases: number, most: number): number[] {
  const count = Math.min(cases, most)
  return Array.from({ length: count }, (_, index) => Math.floor((index * cases) / count))
}

/** Asks the cases at `places`, one after the other. `pause` is waited for between two, given the milliseconds the last one took. */
export async function resit(
  served: Served,
  options: {
    exam: OpenedExam
    places: readonly number[]
    now: () => number
    pause?: ((milliseconds: number) => Promise<void>) | undefined
    onCase?: ((done: number) => void) | undefined
    signal?: AbortSignal | undefined
  },
): Promise<Said[]> {
  const kind = kindOf(served.spec)
  const said: Said[] = []
  for (const place of options.places) {
    const began = options.now()
    const one = options.exam.cases[place]!
    said.push(saidOf(kind, await whole(served, one.input, options.signal), one.answer ?? null))
    options.onCase?.(said.length)
    await options.pause?.(options.now() - began)
    options.signal?.throwIfAborted()
  }
  return said
}

/** What was said now beside what the sheet says, on the same cases: a loss is a drop beyond chance. */
export function compare(sheet: Sheet, places: readonly number[], said: readonly Said[]): Comparison {
  const truth = places.map((place) => sheet.cases[place]!.truth)
  const before = scores(
    sheet.kind,
    places.map((place) => sheet.arms.tuned![place]!),
    truth,
    sheet.labels,
  )
  const now = scores(sheet.kind, said, truth, sheet.labels)
  const all = [...places.keys()]
  const { interval, outcome } = pairedDifference(places.length, now.of, before.of)
  return { n: places.length, of: sheet.cases.length, served: now.of(all), expected: before.of(all), interval, outcome }
}

/** The score of answers by themselves, for an examiner whose cases are not the sheet's. */
export function scoreAlone(kind: Kind, exam: OpenedExam, said: readonly Said[], labels?: readonly string[]): number {
  return scores(
    kind,
    said,
    said.map((_, place) => exam.cases[place]!.truth),
    labels,
  ).of([...said.keys()])
}

async function whole(served: Served, input: string, signal: AbortSignal | undefined): Promise<Answer> {
  // What is too long for the model is an abstention in its exam; at the endpoint it is refused.
  if (unreadable(served, input)) return { text: '', citations: [], abstained: true }
  for await (const part of answer(served, input, signal)) if ('answer' in part) return part.answer
  throw new Error('The model ended without an answer.')
}
