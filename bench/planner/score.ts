/**
 * How a plan is scored against what an expert's description asks for. Pure: knows nothing of planners, files or printing.
 *
 * One row gives one score from 0 to 1 for each field that its `expect` names:
 * - exact (1 or 0): `task`; `multiLabel`, `mustCite`, `refuseOutsideScope`, `pricePerQuery`, `maxLatencyMs`, `privacy`, `dataSufficiency`, where
 *   null ("nothing was said") is a value like any other; `language` and `outputLanguage` as sets of primary subtags, a language of a macrolanguage
 *   counting as it (`quz` = `qu`, `tl` = `fil`, `hi-Latn` = `hi`); `labels` as a set, without regard to case, underscores and outer punctuation.
 * - overlap: `fields`, F1 of the names, two names being the same when at least half of their words are; `domain`, F1 of words cut to five letters
 *   (expected domains are in English whatever the description is in); `clarify`, F1 of the topics asked about, 1 when both are empty.
 * - loose (1 or 0): `tone`, 1 when both are null or share a word or a synonym; `decline`, 1 when both decline or both do not.
 *
 * `mean` is the mean over rows of the mean over all fields. Because null on both sides counts as right there, `stated` is given beside it: the same mean
 * over those fields of a row alone where the expectation or the plan says something. A false decline is a plan that declines what should be built.
 */
import { z } from 'zod'
import type { Spec } from '../../src/core/spec.ts'

const words = z.array(z.string())
/** One description with what is expected of it; the shape of every set in this folder. */
export const Row = z.object({
  id: z.string(),
  text: z.string().min(1),
  files: z.array(z.object({ name: z.string(), kind: z.string(), columns: words.optional(), rows: z.number().optional(), note: z.string().optional() }).loose()),
  expect: z
    .object({
      task: z.string(),
      language: words,
      outputLanguage: words,
      domain: z.string().nullable(),
      labels: words.nullable(),
      multiLabel: z.boolean().nullable(),
      fields: words.nullable(),
      mustCite: z.boolean().nullable(),
      refuseOutsideScope: z.boolean().nullable(),
      tone: z.string().nullable(),
      pricePerQuery: z.union([z.number(), z.string()]).nullable(),
      maxLatencyMs: z.number().nullable(),
      privacy: z.string().nullable(),
      dataSufficiency: z.string(),
      clarify: words,
      decline: z.string().nullable(),
    })
    .partial(),
})
export type Row = z.infer<typeof Row>
export type Expected = Row['expect']
export type Field = keyof Expected

/** The order fields are printed in. */
export const fields: readonly Field[] = [
  'task',
  'language',
  'outputLanguage',
  'labels',
  'multiLabel',
  'fields',
  'mustCite',
  'refuseOutsideScope',
  'tone',
  'pricePerQuery',
  'maxLatencyMs',
  'privacy',
  'domain',
  'dataSufficiency',
  'clarify',
  'decline',
]

export type Scored = { id: string; scores: Partial<Record<Field, number>>; stated: Field[]; falseDecline: boolean; predicted: Required<Expected> }

/** A spec in the shape of an expectation. */
export function expectation(spec: Spec): Required<Expected> {
  return {
    task: spec.task,
    language: spec.language,
    outputLanguage: spec.outputLanguage,
    domain: spec.domain,
    labels: spec.labels,
    multiLabel: spec.multiLabel,
    fields: spec.fields,
    mustCite: spec.mustCite,
    refuseOutsideScope: spec.refuseOutsideScope,
    tone: spec.tone,
    pricePerQuery: spec.pricePerQuery,
    maxLatencyMs: spec.maxLatencyMs,
    privacy: spec.privacy,
    dataSufficiency: spec.sufficiency ?? 'none',
    clarify: spec.clarify.map((question) => (typeof question === 'string' ? question : question.topic)),
    decline: spec.decline ? `${spec.decline.kind}: ${spec.decline.reason}` : null,
  }
}

export function scoreRow(row: Row, spec: Spec): Scored {
  const predicted = expectation(spec)
  const scores: Scored['scores'] = {}
  const stated: Field[] = []
  for (const field of fields) {
    const expected = row.expect[field]
    if (expected === undefined) continue
    scores[field] = score(field, expected, predicted[field])
    if (says(expected) || says(predicted[field])) stated.push(field)
  }
  return { id: row.id, scores, stated, falseDecline: predicted.decline !== null && row.expect.decline === null, predicted }
}

const says = (value: unknown): boolean => value !== null && !(Array.isArray(value) && !value.length)
const mean = (values: readonly number[]): number => (values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : Number.NaN)

export type Summary = {
  rows: number
  byField: Partial<Record<Field, { mean: number; stated: number; count: number }>>
  mean: number
  stated: number
  falseDeclines: string[]
}

export function summarise(rows: readonly Scored[]): Summary {
  const byField: Summary['byField'] = {}
  for (const field of fields) {
    const all = rows.filter((row) => row.scores[field] !== undefined)
    if (!all.length) continue
    const some = all.filter((row) => row.stated.includes(field))
    byField[field] = { mean: mean(all.map((row) => row.scores[field]!)), stated: mean(some.map((row) => row.scores[field]!)), count: some.length }
  }
  return {
    rows: rows.length,
    byField,
    mean: mean(rows.map((row) => mean(Object.values(row.scores)))),
    stated: mean(rows.map((row) => mean(row.stated.map((field) => row.scores[field]!)))),
    falseDeclines: rows.filter((row) => row.falseDecline).map((row) => row.id),
  }
}

function score(field: Field, expected: unknown, predicted: unknown): number {
  switch (field) {
    case 'language':
    case 'outputLanguage':
      return sameSet((expected as string[]).map(primary), (predicted as string[]).map(primary))
    case 'labels':
      return expected === null || predicted === null
        ? Number(expected === predicted)
        : sameSet((expected as string[]).map(even), (predicted as string[]).map(even))
    case 'fields':
      return expected === null || predicted === null ? Number(expected === predicted) : f1(expected as string[], predicted as string[], alike)
    case 'clarify':
      return f1([...new Set(expected as string[])], [...new Set(predicted as string[])], (a, b) => a === b)
    case 'domain':
      return expected === null || predicted === null
        ? Number(expected === predicted)
        : f1(stems(expected as string), stems(predicted as string), (a, b) => a === b)
    case 'tone':
      return expected === null || predicted === null ? Number(expected === predicted) : Number(sameTone(expected as string, predicted as string))
    case 'decline':
      return Number((expected === null) === (predicted === null))
    case 'privacy':
      return Number((expected === null) === (predicted === null))
    case 'pricePerQuery':
    case 'maxLatencyMs':
      return Number(expected === null || predicted === null ? expected === predicted : Math.abs(Number(expected) - Number(predicted)) < 1e-9)
    default:
      return Number(expected === predicted)
  }
}

const macro: Record<string, string> = {
  quz: 'qu',
  quy: 'qu',
  tl: 'fil',
  cmn: 'zh',
  arb: 'ar',
  nb: 'no',
  nn: 'no',
  zlm: 'ms',
  zsm: 'ms',
  swh: 'sw',
  in: 'id',
  iw: 'he',
}
function primary(tag: string): string {
  const first = tag.toLowerCase().split('-')[0]!
  return macro[first] ?? first
}
const even = (text: string): string =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[_\s]+/g, ' ')
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{M}\p{N}+]+$/gu, '')
const sameSet = (a: readonly string[], b: readonly string[]): number => {
  const [left, right] = [new Set(a), new Set(b)]
  return Number(left.size === right.size && [...left].every((item) => right.has(item)))
}
function f1<T>(a: readonly T[], b: readonly T[], same: (a: T, b: T) => boolean): number {
  if (!a.length && !b.length) return 1
  const free = [...b]
  let hits = 0
  for (const item of a) {
    const at = free.findIndex((other) => same(item, other))
    if (at < 0) continue
    free.splice(at, 1)
    hits++
  }
  return (2 * hits) / (a.length + b.length)
}
const tokens = (text: string): string[] =>
  even(text)
    .split(/[^\p{L}\p{M}\p{N}]+/u)
    .filter(Boolean)
function alike(a: string, b: string): boolean {
  const [left, right] = [new Set(tokens(a)), new Set(tokens(b))]
  const common = [...left].filter((word) => right.has(word)).length
  return even(a) === even(b) || common >= Math.max(left.size, right.size) / 2
}
const stems = (text: string): string[] => [
  ...new Set(
    tokens(text)
      .filter((word) => word.length > 2 && !/^(?:and|the|for|from)$/.test(word))
      .map((word) => word.slice(0, 5)),
  ),
]
const tones = [
  'plain|simple|easy|everyday|jargon',
  'brief|short|terse|concise|curt|succinct',
  'warm|gentle|kind|reassuring|caring|soft|empathetic',
  'friendly|informal|casual|chatty',
  'formal|official|professional|dignified|respectful|polite|collegial',
  'neutral|impartial|objective|factual|dry|sober',
  'playful|fun|humorous|cheerful|lively',
]
function sameTone(a: string, b: string): boolean {
  const [left, right] = [tokens(a), tokens(b)]
  if (left.some((word) => word.length > 3 && right.includes(word))) return true
  return tones.some((group) => {
    const names = group.split('|')
    return left.some((word) => names.includes(word)) && right.some((word) => names.includes(word))
  })
}
