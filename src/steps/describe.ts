/**
 * Words and contents -> Spec, by a planner; refuses what cannot be built yet. Knows nothing of how the planner thinks.
 */
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { Spec } from '../core/spec.ts'
import type { Planner } from '../ports/planner.ts'
import type { Content } from '../ports/reader.ts'
import { listing } from './listing.ts'

/** A refusal of the planner passes through; a Spec of a task that is not built yet is refused with what is possible. */
export async function describe(ports: { planner: Planner }, words: string, contents: readonly Content[]): Promise<Spec | Refusal> {
  const planned = await ports.planner.plan({ words, files: contents.map(listing) })
  if (isRefusal(planned)) return planned
  const spec = Spec.parse(planned)
  if (spec.task === 'extract' || spec.task === 'transform') {
    const wish = spec.task === 'extract' ? 'pick out fields from texts' : 'rewrite or translate texts'
    return refuse(
      'task_not_built_yet',
      `You asked for a model that should ${wish}; that comes later.`,
      'Today a model can answer questions from your pages, or say which kind a text is: describe one of these.',
    )
  }
  return spec
}
