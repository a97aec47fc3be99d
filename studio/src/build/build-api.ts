/**
 * What the Build journey asks of the server, and its kinds of reply. Knows nothing of React.
 */
import type { Findings } from '../../../src/core/findings.ts'
import type { pagesOf } from '../../../src/core/pages.ts'
import type { Readiness } from '../../../src/core/readiness.ts'
import type { Spec } from '../../../src/core/spec.ts'
import type { BuildView } from '../../../src/core/view.ts'
import { ask } from '../fetching.ts'
import type { Uploaded } from '../files.ts'

export type { Readiness } from '../../../src/core/readiness.ts'
export type { Spec } from '../../../src/core/spec.ts'

export type Understood = {
  spec: Spec
  findings: Findings
  sentences: string[]
  /** Tables as they stand in the files. */
  tables: { name: string; columns: string[]; rows: number; first: Record<string, string>[] }[]
  /** Passages as they were read, the first of them. */
  pages: ReturnType<typeof pagesOf>
  exam: { id: string; cases: { id: string; input: string; outcome: string; source: { file: string; row?: number; heading?: string } }[] }
}
export type Ready = Readiness & { sentences: string[] }

export type Sent = { words: string; files: readonly Uploaded[] }
export const planOf = (sent: Sent) => ask<Spec>('POST', '/api/plan', sent)
export const refined = (spec: Spec, words: string) => ask<{ spec: Spec; changes: string[] }>('POST', '/api/plan/refine', { spec, words })
/** Which column plays which part, where somebody said so. */
export type ColumnChoice = { role: string; column: string; file: string }
/** What is asked about the files: the plan, whether personal data is hidden, and the columns somebody chose. */
export type Wish = { spec: Spec; mask: boolean; columns: readonly ColumnChoice[] }

export const understood = (sent: Sent, wish: Wish, signal: AbortSignal) => ask<Understood>('POST', '/api/dataset', { ...sent, ...wish }, signal)
export const readiness = (sent: Sent, wish: Wish, signal: AbortSignal) => ask<Ready>('POST', '/api/readiness', { ...sent, ...wish }, signal)
export const start = (sent: Sent, wish: Wish, examId: string | undefined) =>
  ask<BuildView>('POST', '/api/builds', { ...sent, ...wish, ...(examId ? { examId } : {}) })
