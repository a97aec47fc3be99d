/**
 * Words and contents -> Spec, by a planner; says which specs can be built today. Knows nothing of how the planner thinks.
 */
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { Spec } from '../core/spec.ts'
import type { Planner } from '../ports/planner.ts'
import type { Content } from '../ports/reader.ts'
import { type ColumnChoice, fill } from './columns.ts'
import { listing } from './listing.ts'

const POSSIBLE = 'Today a model can answer questions from your pages, say which kinds a text is, or pick out what stands in a text: describe one of these.'

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

/** The spec itself when it can be built today; else one sentence why not and what to do. */
export function buildable(spec: Spec): Spec | Refusal {
  if (spec.decline) return refuse('declined', spec.decline.reason, `What could be built instead: ${spec.decline.alternative}`)
  const wish = {
    answer: undefined,
    classify: undefined,
    extract: undefined,
    transform: 'rewrite or translate texts',
  }[spec.task]
  if (wish === undefined) return spec
  return refuse('task_not_built_yet', `You asked for a model that should ${wish}; that comes later.`, POSSIBLE)
}

/** {@link plan}, and a refusal where the plan cannot be built yet. */
export async function describe(
  ports: { planner: Planner },
  words: string,
  contents: readonly Content[],
  choices: readonly ColumnChoice[] = [],
): Promise<Spec | Refusal> {
  const spec = await plan(ports, words, contents, choices)
  return isRefusal(spec) ? spec : buildable(spec)
}
