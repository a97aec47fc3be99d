/**
 * Words and contents -> Spec, by a planner; says which specs are not built at all. Knows nothing of how the planner thinks.
 */
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { Spec } from '../core/spec.ts'
import type { Planner } from '../ports/planner.ts'
import type { Content } from '../ports/reader.ts'
import { type ColumnChoice, fill } from './columns.ts'
import { listing } from './listing.ts'

/** A Spec for any of the four tasks, also one that is declined; a refusal of the planner passes through. `choices` are the expert's columns. */
export async function plan(
  ports: { planner: Planner },
  words: string,
  contents: readonly Content[],
  choices: readonly ColumnChoice[] = [],
): Promise<Spec | Refusal> {
  const planned = await ports.planner.plan({ words, files: contents.map(listing) })
  if (isRefusal(planned)) return planned
  const filled = fill(Spec.parse(planned), contents, choices)
  return isRefusal(filled) ? filled : Spec.parse(filled)
}

/** The spec itself when it is one to build; else one sentence why not and what could be built instead. */
export function buildable(spec: Spec): Spec | Refusal {
  if (spec.decline) return refuse('declined', spec.decline.reason, `What could be built instead: ${spec.decline.alternative}`)
  return spec
}

/** {@link plan}, and a refusal where the plan is declined. */
export async function describe(
  ports: { planner: Planner },
  words: string,
  contents: readonly Content[],
  choices: readonly ColumnChoice[] = [],
): Promise<Spec | Refusal> {
  const spec = await plan(ports, words, contents, choices)
  return isRefusal(spec) ? spec : buildable(spec)
}
