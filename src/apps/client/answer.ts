/**
 * A chat completion read back as the answer whose hash is in the receipt. Pure; knows nothing of HTTP or payment.
 */
import { z } from 'zod'
import type { Answer } from '../../core/answer.ts'

const Completion = z.object({
  choices: z.array(z.object({ message: z.object({ content: z.string() }) })).min(1),
  modelfactory: z.object({
    sources: z.array(
      z.object({ quote: z.string(), title: z.string(), heading: z.string(), file: z.string(), url: z.string().optional(), probability: z.number() }),
    ),
    label: z.string().nullish(),
    labels: z.array(z.string()).nullish(),
    entities: z.array(z.object({ type: z.string(), text: z.string(), start: z.number(), end: z.number(), probability: z.number() })).nullish(),
    scores: z.array(z.object({ label: z.string(), probability: z.number() })).nullish(),
    abstained: z.boolean(),
  }),
})

/** Undefined for what is no reply of a ModelFactory model. */
export function answerOf(completion: unknown): Answer | undefined {
  const read = Completion.safeParse(completion)
  if (!read.success) return undefined
  const { sources, label, labels, scores, entities, abstained } = read.data.modelfactory
  return {
    text: read.data.choices[0]!.message.content,
    ...(label == null ? {} : { label }),
    ...(labels == null ? {} : { labels }),
    ...(scores == null ? {} : { scores }),
    ...(entities == null ? {} : { entities }),
    citations: sources,
    abstained,
  }
}
