/**
 * The OpenAI wire format: chat completion requests in, completion and chunk objects out. Pure; knows nothing of HTTP or payment.
 * Source: OpenAI API reference, "Create chat completion". Our own additions all stand under `modelfactory`.
 */
import { z } from 'zod'
import type { Answer } from '../../core/answer.ts'
import { type Receipt, receiptId } from '../../core/receipt.ts'
import { amount } from '../../core/royalty.ts'
import { Terms } from '../../core/terms.ts'
import type { ModelView } from '../../core/view.ts'

const Content = z.union([z.string(), z.array(z.looseObject({ type: z.string(), text: z.string().optional() }))])

/** What is used of a request; other fields are let pass, because clients send many. */
export const ChatRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(z.looseObject({ role: z.string(), content: Content.nullish() })).min(1),
  stream: z.boolean().nullish(),
  n: z.literal(1, '1, because a query has one answer').nullish(),
  /** OpenAI's: here, that the builder may read the question when the model has no answer to it. */
  store: z.boolean().nullish(),
  /** Ours: what the answer must be to be paid for. */
  terms: Terms.nullish(),
})
export type ChatRequest = z.infer<typeof ChatRequest>

/** The text of the last user message; empty when there is none. */
export function inputOf(request: ChatRequest): string {
  const content = request.messages.findLast((message) => message.role === 'user')?.content ?? ''
  if (typeof content === 'string') return content.trim()
  return content
    .map((part) => (part.type === 'text' ? (part.text ?? '') : ''))
    .join('\n')
    .trim()
}

/** Our own part of a reply: what the answer rests on, and what was paid for it. */
export function extra(answer: Answer, receipt: Receipt | undefined, free: string | undefined) {
  return {
    sources: answer.citations,
    label: answer.label ?? null,
    ...(answer.labels ? { labels: answer.labels } : {}),
    scores: answer.scores ?? null,
    ...(answer.entities ? { entities: answer.entities } : {}),
    abstained: answer.abstained,
    receipt: receipt ? { ...receipt, id: receiptId(receipt), amount: amount(BigInt(receipt.amount)) } : null,
    /** Why nothing was charged, where nothing was. */
    free: free ?? null,
  }
}
export type Extra = ReturnType<typeof extra>

/** The head every object of one reply shares; `created` is Unix seconds. */
export type Head = { id: string; created: number; model: string }

export function completion(head: Head, answer: Answer, modelfactory: Extra) {
  const message = { role: 'assistant' as const, content: answer.text, refusal: null }
  return { ...head, object: 'chat.completion' as const, choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' as const }], modelfactory }
}

/** One piece of a stream. The first has the role, the last the reason it ended and our own part. */
export function chunk(head: Head, delta: { role?: 'assistant'; content?: string }, end?: Extra) {
  return {
    ...head,
    object: 'chat.completion.chunk' as const,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: end ? ('stop' as const) : null }],
    ...(end ? { modelfactory: end } : {}),
  }
}

/** One entry of the list of models. A listing carries no date, so `created` is 0. */
export function modelObject(model: ModelView) {
  const { modelId, price, payout, packageId, task, words, labels, exam, standing, queries, earned } = model
  const modelfactory = { modelId, price, payout, packageId, task, words, labels, exam, standing, queries, earned }
  return { id: model.name, object: 'model' as const, created: 0, owned_by: payout ?? 'modelfactory', modelfactory }
}
