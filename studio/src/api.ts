/**
 * The server as the studio sees it: one function per request. A refusal comes back as a value with its sentence and
 * hint; so does a server that cannot be reached, because to a person both are "it did not happen, do this".
 * Knows nothing of React.
 */
import type { Answer } from '../../src/core/answer.ts'
import type { BuildView, StateView } from '../../src/core/view.ts'
import { told } from './language.ts'
import { studioWords } from './words.ts'

export type { Answer } from '../../src/core/answer.ts'
export type { Amount } from '../../src/core/royalty.ts'
export type { BuildView, EarningsView, LiveEvent, ModelView, ReceiptView, StateView } from '../../src/core/view.ts'

/** What went wrong, in one sentence, and what to do. */
export type Problem = { problem: true; message: string; hint: string }

export function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && (value as { problem?: unknown }).problem === true
}

export const getState = (): Promise<StateView | Problem> => send<StateView>('/api/state')
export const goOn = (id: string): Promise<BuildView | Problem> => send<BuildView>(`/api/builds/${encodeURIComponent(id)}/go-on`, {})
export const cancelBuild = (id: string): Promise<BuildView | Problem> => send<BuildView>(`/api/builds/${encodeURIComponent(id)}/cancel`, {})
export const ask = (model: string, text: string): Promise<Answer | Problem> => send<Answer>(`/api/models/${encodeURIComponent(model)}/ask`, { text })

/** GET without a body, POST with one. Never throws. */
async function send<T>(path: string, body?: unknown): Promise<T | Problem> {
  const words = told(studioWords)
  try {
    const response = await fetch(
      path,
      body === undefined ? {} : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
    )
    const text = await response.text()
    const value = parse(text)
    if (!response.ok) return readProblem(response.status, value)
    if (typeof value !== 'object' || value === null) return { problem: true, message: words.problems.notUnderstood, hint: words.problems.reload }
    return value as T
  } catch {
    return { problem: true, message: words.problems.unreachable, hint: words.problems.startAgain }
  }
}

/** Outside text as JSON, or undefined when it is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Reads a refusal from an error body: `{error: {message, hint?}}` (OpenAI's shape) or `{message, hint}`. */
export function readProblem(status: number, body: unknown): Problem {
  const words = told(studioWords)
  const record = asRecord(body)
  const inner = asRecord(record.error)
  const message = [inner.message, record.message, record.error].find((value): value is string => typeof value === 'string' && value !== '')
  const hint = [inner.hint, record.hint].find((value): value is string => typeof value === 'string') ?? ''
  return { problem: true, message: message ?? words.problems.status(status), hint: message ? hint : words.problems.startAgain }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
