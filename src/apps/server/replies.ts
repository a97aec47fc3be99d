/**
 * Replies: refusals and faults as HTTP, in OpenAI's error shape. Knows nothing of routes.
 */
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { z } from 'zod'
import { type Refusal, refuse } from '../../core/errors.ts'

/** On every reply of this server. */
export const SERVER_HEADER = 'X-ModelFactory'

/** `hint` stands beside the message for the studio; OpenAI clients show the message alone, so there it is part of it. */
export type ErrorBody = { error: { message: string; type: string; code: string; param: string | null; hint?: string } }

/** The status of a refusal: 404 when the thing is not there, 409 when its state forbids it, else 422. */
export function statusOf(refusal: Refusal): ContentfulStatusCode {
  if (/(^unknown_(model|build)$|_unknown$|_not_found$|_not_there$|^no_such_)/.test(refusal.code)) return 404
  if (/(_in_progress$|_in_use$|_taken$|_already_|_not_running$)/.test(refusal.code)) return 409
  return 422
}

/** An error body as OpenAI clients read it. */
export function errorBody(refusal: Refusal, type = 'invalid_request_error', param: string | null = null): ErrorBody {
  return { error: { message: `${refusal.message} ${refusal.hint}`, type, code: refusal.code, param } }
}

/** What is wrong with one field of a request, in words; `input` is shown when it is short. `fallback` stands for the whole body. */
export function wrongField(issue: z.core.$ZodIssue | undefined, fallback: string): string {
  if (!issue?.path.length) return fallback
  const given = issue.input === undefined ? 'missing' : JSON.stringify(issue.input)
  return `"${issue.path.join('.')}" is ${given.length <= 80 ? given : 'not valid'}: it must be ${need(issue)}.`
}

function need(issue: z.core.$ZodIssue): string {
  const article = (noun: string) => `${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun}`
  const counted = (number: number | bigint, origin: string) =>
    origin === 'string' ? `${number} characters` : origin === 'array' ? `${number} ${Number(number) === 1 ? 'entry' : 'entries'}` : `${number}`
  switch (issue.code) {
    case 'invalid_type':
      return article(issue.expected)
    case 'too_small':
      if (issue.origin === 'string' && issue.minimum === 1) return 'text, and not empty'
      return `${issue.inclusive === false ? 'more than' : 'at least'} ${counted(issue.minimum, issue.origin)}`
    case 'too_big':
      return `at most ${counted(issue.maximum, issue.origin)}`
    case 'invalid_union':
      return 'a string, or a list of parts with a type each'
    default:
      return issue.message
  }
}

/** A refusal to an OpenAI client. */
export function openaiRefusal(context: Context, status: ContentfulStatusCode, refusal: Refusal, param: string | null = null): Response {
  return context.json(errorBody(refusal, 'invalid_request_error', param), status)
}

/** A refusal to the studio or the command line: sentence and hint apart. */
export function refusal(context: Context, refused: Refusal, status: ContentfulStatusCode = statusOf(refused)): Response {
  return context.json({ error: { message: refused.message, type: 'refused', code: refused.code, param: null, hint: refused.hint } } satisfies ErrorBody, status)
}

/** What a broken server says: nothing of its inside. */
export function faultReply(context: Context): Response {
  const sentence = refuse('internal_error', 'Something broke inside the server.', 'Its log says what; try again.')
  return context.json(errorBody(sentence, 'server_error'), 500)
}
