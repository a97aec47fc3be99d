/** `gaps`: what the owner's models had no answer to, in a terminal. Knows nothing of how it is kept. */
import { isRefusal, type Refusal } from '../../core/errors.ts'
import type { GapsView } from '../../core/gaps.ts'
import { type Context, withServer } from './connect.ts'
import { even } from './dataset.ts'
import { request } from './requests.ts'

const SHOWN = 8

export async function gaps(context: Context, flags: { forget?: string }): Promise<Refusal | undefined> {
  const view = await withServer(context, (url) =>
    flags.forget === undefined
      ? request<GapsView>(url, '/api/gaps')
      : request<GapsView>(url, `/api/gaps/${encodeURIComponent(flags.forget)}`, undefined, 'DELETE'),
  )
  if (isRefusal(view)) return view
  const lines = view.models.flatMap(({ model, times, topics }) => [
    `${model}: ${times} ${times === 1 ? 'question' : 'questions'} without an answer`,
    ...topics.flatMap(({ topic, times: asked, questions }) => [
      `  ${topic ?? 'other topics'}, ${asked}:`,
      ...questions.slice(0, SHOWN).map(({ question, times: often }) => `    ${even(question, 100)}${often > 1 ? ` (${often} times)` : ''}`),
      ...(questions.length > SHOWN ? [`    and ${questions.length - SHOWN} more`] : []),
    ]),
  ])
  const none = 'No question without an answer is kept. Callers allow it with "store": true, or --let-builder-read.'
  context.out.result(view, lines.length ? lines.join('\n') : none)
  return undefined
}
