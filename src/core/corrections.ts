/**
 * What the expert changed in the examples: corrected, removed or added. Kept by the id of the example it is about, so that it
 * holds through every rebuild from the same files. Knows nothing of where corrections are kept.
 */
import { z } from 'zod'
import { duplicateKey, Entity, type Example, exampleOf, type Said } from './dataset.ts'
import { type Refusal, refuse } from './errors.ts'
import { Id } from './id.ts'
import { entitiesOf, partsOf } from './spans.ts'
import type { Spec } from './spec.ts'

const Outcome = z.object({
  label: z.string().min(1).optional(),
  labels: z.array(z.string().min(1)).optional(),
  answer: z.string().nullable().optional(),
  entities: z.array(Entity).optional(),
  output: z.string().optional(),
})

/** One change. `replace` names the example as it stands in the files. */
export const Correction = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('replace'), id: Id, outcome: Outcome }),
  z.object({ kind: z.literal('remove'), id: Id }),
  z.object({ kind: z.literal('add'), input: z.string().trim().min(1), outcome: Outcome }),
])
export type Correction = z.infer<typeof Correction>

/** What the expert says about one example, in words. */
export const Change = z.union([
  z.object({ replace: z.string().min(1), to: z.string() }),
  z.object({ remove: z.string().min(1) }),
  z.object({ add: z.string().trim().min(1).max(100_000), to: z.string() }),
])
export type Change = z.infer<typeof Change>

/** Where added examples come from. */
export const ADDED = 'added by hand'

/** The examples with every correction made, oldest first. One about an example that is not there changes nothing. */
export function corrected(examples: readonly Example[], corrections: readonly Correction[]): Example[] {
  if (!corrections.length) return [...examples]
  const originals = new Map(examples.map((one) => [one.id, one]))
  const changed = new Map<Id, Example | null>()
  /** What an example was called before it was corrected: a second correction names what the first one made. */
  const before = new Map<Id, Id>()
  const added = new Map<string, Example>()
  for (const correction of corrections) {
    if (correction.kind === 'add') {
      const one = exampleOf({ input: correction.input, ...said(correction.outcome) }, { file: ADDED }, undefined)
      added.set(duplicateKey(one.input), one)
      continue
    }
    const byHand = [...added.values()].find(({ id }) => id === correction.id)
    const found = byHand ?? originals.get(before.get(correction.id) ?? correction.id)
    if (!found) continue
    const one = correction.kind === 'remove' ? null : exampleOf({ input: found.input, ...said(correction.outcome) }, found.source, found.group)
    if (one) before.set(one.id, found.id)
    if (!byHand) changed.set(found.id, one)
    else if (one) added.set(duplicateKey(one.input), one)
    else added.delete(duplicateKey(found.input))
  }
  // Other rows with the same text cannot go on saying something else.
  const replaced = new Map([...changed.values()].flatMap((one) => (one ? [[duplicateKey(one.input), one] as const] : [])))
  const kept = examples.flatMap((one) => {
    if (changed.get(one.id) === null) return []
    const key = duplicateKey(one.input)
    if (added.has(key)) return []
    const other = changed.get(one.id) ?? replaced.get(key)
    return other ? [{ ...other, source: one.source, group: one.group }] : [one]
  })
  return [...kept, ...added.values()]
}

function said(outcome: z.infer<typeof Outcome>): Omit<Said, 'input'> {
  return Object.fromEntries(Object.entries(outcome).filter(([, value]) => value !== undefined))
}

/**
 * What an expert wrote as right, as the task holds it: a label, labels separated by `;`, an answer (empty: not covered), a JSON
 * object of what stands in the text, or a text.
 */
export function outcomeFrom(spec: Pick<Spec, 'task' | 'labels' | 'multiLabel'>, input: string, text: string): z.infer<typeof Outcome> | Refusal {
  const said = text.trim()
  if (spec.task === 'answer') return { answer: said || null }
  if (spec.task === 'transform')
    return said ? { output: said } : refuse('outcome_empty', 'The text it should become is empty.', 'Write it, or remove the example.')
  if (spec.task === 'extract') {
    const entities = entitiesOf(input, { said }, { entities: 'said' })
    if (entities) return { entities }
    return refuse(
      'outcome_not_found',
      `"${said.slice(0, 80)}" is not a JSON object of what stands word for word in the text.`,
      'Write it like {"Drug": ["aspirin"]}.',
    )
  }
  const labels = spec.multiLabel ? partsOf(said) : [said]
  const unknown = labels.find((label) => !label || (spec.labels && !spec.labels.includes(label)))
  if (unknown !== undefined) return refuse('label_unknown', `"${unknown}" is none of the kinds.`, `They are ${(spec.labels ?? []).slice(0, 40).join(', ')}.`)
  return spec.multiLabel ? { labels } : { label: labels[0]! }
}
