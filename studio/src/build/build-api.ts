/**
 * What the Build journey asks of the server, and its kinds of reply. Knows nothing of React.
 */
import type { Findings } from '../../../src/core/findings.ts'
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
  exam: { id: string; cases: { id: string; input: string; outcome: string; source: { file: string; row?: number; heading?: string } }[] }
}
export type Ready = Readiness & { sentences: string[] }

export type Sent = { words: string; files: readonly Uploaded[] }
export const planOf = (sent: Sent) => ask<Spec>('POST', '/api/plan', sent)
export const refined = (spec: Spec, words: string) => ask<{ spec: Spec; changes: string[] }>('POST', '/api/plan/refine', { spec, words })
export const understood = (sent: Sent, spec: Spec, mask: boolean, signal: AbortSignal) =>
  ask<Understood>('POST', '/api/dataset', { ...sent, spec, mask }, signal)
export const readiness = (sent: Sent, spec: Spec, mask: boolean, signal: AbortSignal) => ask<Ready>('POST', '/api/readiness', { ...sent, spec, mask }, signal)
export const start = (sent: Sent, spec: Spec, mask: boolean, examId: string | undefined) =>
  ask<BuildView>('POST', '/api/builds', { ...sent, spec, mask, ...(examId ? { examId } : {}) })
