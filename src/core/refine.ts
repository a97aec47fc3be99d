/**
 * What changed between two specs, in lines a person can read. Pure: knows nothing of how the change was understood.
 */
import { languageName, type Spec } from './spec.ts'

const names: readonly (readonly [keyof Spec, string])[] = [
  ['task', 'Task'],
  ['language', 'Reads'],
  ['outputLanguage', 'Writes'],
  ['labels', 'Kinds'],
  ['multiLabel', 'Several kinds at once'],
  ['fields', 'Finds'],
  ['mustCite', 'Names the source of each answer'],
  ['refuseOutsideScope', 'Says so when the pages do not cover a question'],
  ['tone', 'Tone'],
  ['audience', 'For'],
  ['outputFormat', 'Layout'],
  ['kindOfTransform', 'Does'],
  ['avoid', 'Never speaks of'],
  ['domain', 'About'],
  ['pricePerQuery', 'Price a query in OPEN'],
  ['maxLatencyMs', 'Longest wait'],
  ['privacy', 'Stays on your own machines'],
  ['decline', 'Not built because'],
]

/** The fields a refinement may change; words, name, files and history stay. */
export const refinable: readonly (keyof Spec)[] = names.map(([field]) => field)

/** One line for each field that differs, such as `Tone: not said -> brief`; empty when nothing does. */
export function differences(before: Spec, after: Spec): string[] {
  return names.flatMap(([field, name]) => {
    const [was, is] = [shown(field, before[field]), shown(field, after[field])]
    return was === is ? [] : [`${name}: ${was} -> ${is}`]
  })
}

function shown(field: keyof Spec, value: unknown): string {
  if (value === null || value === undefined || (Array.isArray(value) && !value.length)) return 'not said'
  if (value === true || value === 'local') return 'yes'
  if (value === false) return 'no'
  if (field === 'language' || field === 'outputLanguage') return (value as string[]).map(languageName).join(', ')
  if (field === 'maxLatencyMs') return `${Number(value) / 1000} s`
  if (field === 'decline') return (value as { reason: string }).reason
  return Array.isArray(value) ? value.join(', ') : String(value)
}
