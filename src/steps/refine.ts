/**
 * Spec and words -> Spec: one turn of the conversation about a plan. Only what was said changes; every turn is kept.
 * Knows nothing of how the planner understands the words.
 */
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { differences } from '../core/refine.ts'
import { Spec } from '../core/spec.ts'
import type { Planner } from '../ports/planner.ts'

export type Refined = { spec: Spec; changes: string[] }

/** The new spec, its history one turn longer, and the differences in plain lines. Refuses words that change nothing. */
export async function refine(ports: { planner: Planner }, before: Spec, words: string): Promise<Refined | Refusal> {
  const planned = await ports.planner.refine({ spec: before, words })
  if (isRefusal(planned)) return planned
  // Where the plan came from is not the planner's to change.
  const after = Spec.parse({ ...planned, words: before.words, slug: before.slug, files: before.files })
  const changes = differences(before, after)
  const answered = before.clarify.length - after.clarify.length
  const settled = after.assumptions.filter((assumption) => !before.assumptions.includes(assumption)).map((assumption) => `Settled: ${assumption}`)
  const lines = [...changes, ...settled]
  if (!lines.length && answered > 0) lines.push(answered === 1 ? 'One open question is answered.' : `${answered} open questions are answered.`)
  if (!lines.length)
    return refuse(
      'nothing_changed',
      `"${words.trim().slice(0, 80)}" changes nothing in the plan.`,
      'Say what should be different, for example: "Make it shorter", "Answer in Swahili", "Never mention dosage", "Add the label refund".',
    )
  return { spec: { ...after, history: [...(before.history ?? []), { words: words.trim(), changes: lines }] }, changes: lines }
}
