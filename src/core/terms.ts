/**
 * Terms: what a payer asks of an answer before paying for it, in words that a program can check. Pure; knows nothing of payment.
 */
import { z } from 'zod'
import type { Answer } from './answer.ts'

/** A schema larger than this, in characters of JSON, is not read. */
const MOST_SCHEMA = 8_192

const Schema = z.record(z.string(), z.unknown()).superRefine((schema, context) => {
  const wrong = whyNoSchema(schema)
  if (wrong !== undefined) context.addIssue({ code: 'custom', message: wrong })
})

export const Terms = z
  .strictObject({
    /** JSON Schema of the answer: of its text, or of the JSON that its text is. */
    schema: Schema.optional(),
    /** The answer quotes at least one of these, each named by its file, title or address. */
    cites: z.array(z.string().trim().min(1).max(2_048)).min(1).max(100).optional(),
    /** The whole answer is there so many seconds after the request. */
    withinSeconds: z.number().positive().max(600).optional(),
    /** The answer is an answer, and not that the pages do not cover the question. */
    answered: z.literal(true, 'true, or left out').optional(),
  })
  .refine((terms) => Object.values(terms).some((term) => term !== undefined), 'at least one of schema, cites, withinSeconds and answered')
export type Terms = z.infer<typeof Terms>

/** Terms that were met, as a receipt carries them: who judged is part of what they are worth. */
export const TermsMet = z.object({ asked: Terms, judgedBy: z.literal('gateway'), seconds: z.number().nonnegative() })
export type TermsMet = z.infer<typeof TermsMet>

export type TermFailed = { term: keyof Terms; message: string }

/** The first term an answer fails, undefined when it meets them all. `seconds` is what it took. */
export function failedTerm(terms: Terms, answer: Answer, seconds: number): TermFailed | undefined {
  const { schema, cites, withinSeconds, answered } = terms
  if (withinSeconds !== undefined && seconds > withinSeconds) return late(withinSeconds)
  if (answered && answer.abstained) return { term: 'answered', message: 'The model said that its pages do not cover the question.' }
  if (cites !== undefined && !answer.citations.some((citation) => cites.some((wanted) => names(citation).includes(plain(wanted)))))
    return {
      term: 'cites',
      message: answer.citations.length ? 'The answer quotes none of the sources asked for.' : 'The answer quotes no source.',
    }
  if (schema !== undefined && !matches(schema, answer.text)) return { term: 'schema', message: 'The answer does not fit the schema.' }
  return undefined
}

/** The term that an answer fails which is not there in time. */
export function late(withinSeconds: number): TermFailed {
  return { term: 'withinSeconds', message: `The answer was not there within ${withinSeconds} s.` }
}

function matches(schema: Record<string, unknown>, text: string): boolean {
  const checker = z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  if (checker.safeParse(text).success) return true
  try {
    return checker.safeParse(JSON.parse(text)).success
  } catch {
    return false
  }
}

function whyNoSchema(schema: Record<string, unknown>): string | undefined {
  const text = JSON.stringify(schema)
  if (text.length > MOST_SCHEMA) return `a JSON Schema of at most ${MOST_SCHEMA} characters`
  if (Object.keys(schema).length === 0) return 'a JSON Schema that asks something'
  // A pattern made for it takes a regular expression years.
  if (/"(pattern|patternProperties|\$ref|\$dynamicRef)":/.test(text)) return 'a JSON Schema without patterns and references'
  try {
    z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0])
  } catch {
    return 'a JSON Schema that can be checked here'
  }
  return unchecked(schema)
}

/** What the checker would pass over in silence, here or below: nothing that was asked may go unchecked. */
function unchecked(schema: unknown): string | undefined {
  if (typeof schema !== 'object' || schema === null) return undefined
  if (Array.isArray(schema)) return schema.map(unchecked).find((wrong) => wrong !== undefined)
  const { properties = {}, required = [], title, description, ...words } = schema as Record<string, unknown> & { properties?: object; required?: unknown }
  const asks = Object.keys(words).length + Object.keys(properties).length > 0 || 'required' in schema
  if (asks && !['type', 'enum', 'const', 'anyOf', 'oneOf', 'allOf'].some((word) => Object.hasOwn(words, word)))
    return 'a JSON Schema that says a type, or what its values are, wherever it asks something'
  if (!Array.isArray(required) || required.some((name) => !Object.hasOwn(properties, String(name))))
    return 'a JSON Schema whose required properties are all described'
  const { items, additionalProperties, anyOf, oneOf, allOf, prefixItems, not } = words
  return unchecked([...Object.values(properties), items, additionalProperties, anyOf, oneOf, allOf, prefixItems, not])
}

function names({ title, file, url }: Answer['citations'][number]): string[] {
  return [title, file, url ?? ''].filter(Boolean).map(plain)
}

function plain(name: string): string {
  return name.trim().toLowerCase()
}
