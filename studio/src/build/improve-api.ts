/**
 * What making a model better asks of the server, and its kinds of reply. Knows nothing of React.
 */
import type { Answer } from '../../../src/core/answer.ts'
import type { SearchView } from '../../../src/core/market.ts'
import type { BuildView, ExamplesView, FixView, QuotationView } from '../../../src/core/view.ts'
import { ask, get } from '../fetching.ts'

export type { ExamplesView, FixView, QuotationView } from '../../../src/core/view.ts'
export type Part = ExamplesView['part']
export type Example = ExamplesView['examples'][number]
/** As the server takes it: the id of an example and what is right, an example that goes, or a new one. */
export type Change = { replace: string; to: string } | { remove: string } | { add: string; to: string }

/** Examples fetched at once. */
export const PAGE = 200

const of = (name: string, rest: string): string => `/api/models/${encodeURIComponent(name)}/${rest}`

export const examples = (name: string, part: Part, find: string, offset: number, signal: AbortSignal) =>
  get<ExamplesView>(of(name, `data?${new URLSearchParams({ part, offset: String(offset), limit: String(PAGE), ...(find ? { find } : {}) })}`), signal)
export const keep = (name: string, changes: readonly Change[]) => ask<ExamplesView>('POST', of(name, 'data'), { changes })
export const rebuild = (name: string) => ask<BuildView>('POST', of(name, 'rebuild'), {})
export const quotations = (name: string, signal: AbortSignal) => get<QuotationView>(of(name, 'quotations'), signal)
export const withhold = (name: string, files: readonly string[]) => ask<QuotationView>('POST', of(name, 'quotations'), { withhold: files })
export const fix = (name: string, question: string, answer: string) => ask<BuildView>('POST', of(name, 'fix'), { question, answer })
export const fixed = (name: string, signal: AbortSignal) => get<FixView>(of(name, 'fix'), signal)
export const acceptFix = (name: string) => ask<FixView>('POST', of(name, 'fix/accept'))
export const dropFix = (name: string) => ask<BuildView>('POST', of(name, 'fix/drop'))
export const similar = (words: string, task: string, signal: AbortSignal) =>
  get<SearchView>(`/api/market/search?${new URLSearchParams({ q: words.slice(0, 300), task, for: 'likeness' })}`, signal)

/** What a model said, as the server reads what is right. */
export function rightAsSaid(answer: Answer): string {
  if (answer.entities) {
    const found: Record<string, string[]> = {}
    for (const { type, text } of answer.entities) found[type] = [...(found[type] ?? []), text]
    return JSON.stringify(found)
  }
  if (answer.labels) return answer.labels.join('; ')
  return answer.label ?? (answer.abstained ? '' : answer.text)
}
