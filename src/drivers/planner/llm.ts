/**
 * The planner that asks a language model at any OpenAI-compatible address. What the model says is held against the same schema as every spec, sent back
 * once to be put right, and given up for the offline planner's plan when it cannot be used, which the plan then says. The model sees the words and
 * the names, columns and notes of the files, never a cell; where the expert wants everything to stay on their own machines, a model elsewhere is not asked.
 */
import { z } from 'zod'
import { isRefusal, type Refusal } from '../../core/errors.ts'
import { Decline, Question, Spec, Task } from '../../core/spec.ts'
import type { FileListing, Planner } from '../../ports/planner.ts'
import { checkWords, offlinePlanner, planOffline } from './offline.ts'
import { planPrompt, refinePrompt, repairPrompt, system } from './prompts.ts'

export type LlmPlannerOptions = {
  /** Base address of an OpenAI-compatible server, such as http://127.0.0.1:11434/v1. */
  url: string
  model: string
  /** Sent as a bearer token; never logged, never part of an error. */
  key?: string | undefined
  /** Milliseconds for all of one plan, the second try included. */
  deadline?: number | undefined
}

const DEADLINE_MS = 30_000
const tags = z.array(z.string().regex(/^[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$/, 'a BCP-47 language tag')).max(20)

/** What a model is asked for: the fields of a spec that words decide. The rest (name, use of files, sufficiency) the rules know better. */
const Reply = z.object({
  task: Task,
  language: tags.min(1),
  outputLanguage: tags,
  domain: z.string().max(100).nullable(),
  labels: z.array(z.string().min(1).max(120)).max(500).nullable(),
  multiLabel: z.boolean().nullable(),
  fields: z.array(z.string().min(1).max(120)).max(200).nullable(),
  mustCite: z.boolean().nullable(),
  refuseOutsideScope: z.boolean().nullable(),
  tone: z.string().max(100).nullable(),
  audience: z.string().max(100).nullable(),
  outputFormat: z.string().max(100).nullable(),
  avoid: z.array(z.string().max(100)).max(20),
  pricePerQuery: z
    .string()
    .regex(/^\d+(?:\.\d{1,18})?$/, 'a decimal number of OPEN')
    .nullable(),
  maxLatencyMs: z.number().int().positive().max(600_000).nullable(),
  privacy: z.enum(['local']).nullable(),
  clarify: z.array(Question).max(3),
  decline: Decline.nullable(),
})
type Reply = z.infer<typeof Reply>

/** Why a model's help was not used, as an assumption says it. */
type Failure = 'late' | 'refused' | 'unusable' | 'unreachable'
const failures: Record<Failure, string> = {
  late: 'did not answer in time',
  refused: 'refused the request',
  unusable: 'twice gave a plan that does not fit',
  unreachable: 'could not be reached',
}

export function llmPlanner(options: LlmPlannerOptions): Planner {
  const offline = offlinePlanner()
  const address = new URL(options.url)
  const near = ['127.0.0.1', 'localhost', '[::1]'].includes(address.hostname)
  const ask = asker(options)
  const without = (spec: Spec, why: string): Spec => ({
    ...spec,
    assumptions: [...spec.assumptions, `the language model at ${address.host} ${why}, so the rules of the offline planner decided alone`],
  })
  return {
    name: 'llm',
    async plan({ words, files }) {
      const description = words.trim()
      const refusal = checkWords(description)
      if (refusal) return refusal
      const ruled = planOffline(description, files)
      if (ruled.privacy === 'local' && !near) return without(ruled, 'was not asked, because nothing may leave your own machines')
      // What is plainly unsafe by the rules stays declined whatever a model says.
      if (ruled.decline) return ruled
      const reply = await ask(planPrompt(description, files))
      return typeof reply === 'string' ? without(ruled, failures[reply]) : merge(description, files, reply)
    },
    async refine({ spec, words }) {
      const said = words.trim()
      const ruled = await offline.refine({ spec, words: said })
      if (isRefusal(ruled) || (spec.privacy === 'local' && !near)) return ruled
      const reply = await ask(refinePrompt(spec, said))
      return typeof reply === 'string' ? ruled : refined(spec, reply)
    },
  }
}

/** The model's fields over the rules' plan for the same task. */
function merge(words: string, files: readonly FileListing[], reply: Reply): Spec | Refusal {
  const ruled = planOffline(words, files, reply.task)
  const { avoid, outputFormat, decline, ...rest } = reply
  // Kinds that stand in the examples are what they are.
  const fromData = files.some((file) => file.values !== undefined) && ruled.labels !== null
  return Spec.parse({
    ...ruled,
    ...rest,
    labels: reply.task === 'classify' ? (fromData ? ruled.labels : reply.labels) : null,
    multiLabel: reply.task === 'classify' ? reply.multiLabel : null,
    fields: reply.task === 'extract' ? reply.fields : null,
    ...(avoid.length ? { avoid } : {}),
    ...(outputFormat ? { outputFormat } : {}),
    ...(decline ? { decline, clarify: [] } : {}),
    assumptions: [
      ...ruled.assumptions.filter((assumption) => !ruled.clarify.some((question) => typeof question !== 'string' && question.assumed === assumption)),
      ...reply.clarify.map((question) => question.assumed),
    ],
  })
}

function refined(before: Spec, reply: Reply): Spec {
  const { decline, ...rest } = reply
  return Spec.parse({
    ...before,
    ...rest,
    labels: reply.task === 'classify' ? reply.labels : null,
    multiLabel: reply.task === 'classify' ? reply.multiLabel : null,
    fields: reply.task === 'extract' ? reply.fields : null,
    ...(decline ? { decline, clarify: [] } : {}),
  })
}

/** One structured answer, repaired once; or why there is none. */
function asker(options: LlmPlannerOptions) {
  return async (prompt: string): Promise<Reply | Failure> => {
    const [{ createOpenAICompatible }, { generateText, NoObjectGeneratedError, Output }] = await Promise.all([
      import('@ai-sdk/openai-compatible'),
      import('ai'),
    ])
    const provider = createOpenAICompatible({
      name: 'planner',
      baseURL: options.url.replace(/\/+$/, ''),
      supportsStructuredOutputs: true,
      ...(options.key === undefined ? {} : { apiKey: options.key }),
    })
    const deadline = AbortSignal.timeout(options.deadline ?? DEADLINE_MS)
    const once = async (asked: string): Promise<{ reply: Reply } | { text: string; finish: string; problem: string } | undefined> => {
      try {
        const result = await generateText({
          model: provider.chatModel(options.model),
          system,
          prompt: asked,
          output: Output.object({ schema: Reply, name: 'plan' }),
          temperature: 0,
          maxRetries: 0,
          abortSignal: deadline,
        })
        if (result.finishReason === 'stop') return { reply: Reply.parse(result.output) }
        return { text: result.text, finish: result.finishReason, problem: 'The answer did not come to its end.' }
      } catch (error) {
        if (!NoObjectGeneratedError.isInstance(error)) return undefined
        const cause = error.cause instanceof Error ? error.cause.message : ''
        return { text: error.text ?? '', finish: error.finishReason ?? 'unknown', problem: cause || 'It is not the JSON object that was asked for.' }
      }
    }
    let asked = prompt
    for (let attempt = 0; attempt < 2; attempt++) {
      const outcome = await once(asked)
      if (deadline.aborted) return 'late'
      if (!outcome) return 'unreachable'
      if ('reply' in outcome) return outcome.reply
      const { text, finish, problem } = outcome
      // Words in place of an object are a refusal; an object that does not close was cut off.
      if (finish === 'content-filter' || (text.trim() && !text.includes('{'))) return 'refused'
      asked = repairPrompt(prompt, text.slice(0, 4000), finish === 'length' ? 'The answer was cut off; answer more briefly.' : problem.slice(0, 1500))
    }
    return 'unusable'
  }
}
