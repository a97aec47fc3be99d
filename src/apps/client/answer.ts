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
    scores: z.array(z.object({ label: z.string(), probability: z.number() })).nullish(),
    abstained: z.boolean(),
  }),
})

/** Undefined for what is no reply of a ModelFactory model. */
export function answerOf(completion: unknown): Answer | undefined {
  const read = Completion.safeParse(completion)
  if (!read.success) return undefined
  const { sources, label, scores, abstained } = read.data.modelfactory
  return {
    text: read.data.choices[0]!.message.content,
    ...(label == null ? {} : { label }),
    ...(scores == null ? {} : { scores }),
    citations: sources,
    abstained,
  }
}
