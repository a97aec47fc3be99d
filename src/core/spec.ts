/**
 * Spec: what the words asked for, in fields a person can read back. The leftmost noun of the river.
 * Knows nothing of how it was found out (that is the planner's business) or of what will be built from it.
 */
import { z } from 'zod'
import { contentId, type Id } from './id.ts'

/** What the model does with a text. All four can be planned; `describe` in `steps` says which can be built today. */
export const Task = z.enum(['answer', 'classify', 'extract', 'transform'])
export type Task = z.infer<typeof Task>

/**
 * Column names by role: `text`/`label` of labelled texts, `question`/`answer` (and the `context` it is asked about) of questions,
 * `text`/`target` of pairs; for fields `text` with `tags` (one a word: B-x, I-x, O), `entities` (JSON) or, named in `values`, columns
 * that hold what was found. `group` names the document a row belongs to, `id` the row.
 */
export const ColumnRoles = z
  .object({
    text: z.string(),
    label: z.string(),
    question: z.string(),
    answer: z.string(),
    context: z.string(),
    target: z.string(),
    tags: z.string(),
    entities: z.string(),
    values: z.array(z.string()),
    group: z.string(),
    id: z.string(),
  })
  .partial()
export type ColumnRoles = z.infer<typeof ColumnRoles>

/** What one file is used for, and why; a table's columns by the part they play. */
export const FileUse = z.object({
  name: z.string().min(1),
  use: z.enum(['passages', 'labelled', 'questions', 'fields', 'pairs', 'ignored']),
  /** Column names of a table by the part they play. */
  columns: ColumnRoles,
  /** One sentence for the expert: why the file is read this way. */
  why: z.string(),
})
export type FileUse = z.infer<typeof FileUse>

/** What a question to the expert is about. */
export const Topic = z.enum([
  'task',
  'labels',
  'fields',
  'examples',
  'sources',
  'language',
  'scope',
  'output format',
  'audience',
  'tone',
  'privacy',
  'latency',
  'price',
])
export type Topic = z.infer<typeof Topic>

/** A question that is answered with a click: each option carries the words that `refine` is given when it is chosen. */
export const Question = z.object({
  topic: Topic,
  question: z.string().min(1),
  /** At least one; `words` may be empty where the option leaves everything as it is. */
  options: z.array(z.object({ label: z.string().min(1), words: z.string() })).max(6),
  /** What is assumed when nobody answers. */
  assumed: z.string().min(1),
})
export type Question = z.infer<typeof Question>

/** Why a model is not built, said kindly, and what could be built in its place. */
export const Decline = z.object({ kind: z.enum(['unsafe', 'unlawful', 'impossible']), reason: z.string().min(1), alternative: z.string().min(1) })
export type Decline = z.infer<typeof Decline>

/** One change of the plan: what was said, and the differences it made. */
export const Change = z.object({ words: z.string().min(1), changes: z.array(z.string()) })
export type Change = z.infer<typeof Change>

export const Spec = z.object({
  words: z.string().min(1),
  /** Short lower-case name made from the words, unique enough to type; [a-z0-9-]. */
  slug: z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,46}[a-z0-9])?$/),
  task: Task,
  /** BCP-47 tags of what the model reads; the first is the main one. */
  language: z.array(z.string()).min(1),
  /** BCP-47 tags of what it answers in. */
  outputLanguage: z.array(z.string()),
  domain: z.string().nullable(),
  labels: z.array(z.string()).nullable(),
  multiLabel: z.boolean().nullable(),
  fields: z.array(z.string()).nullable(),
  mustCite: z.boolean().nullable(),
  refuseOutsideScope: z.boolean().nullable(),
  tone: z.string().nullable(),
  audience: z.string().nullable(),
  /** Decimal string of OPEN. */
  pricePerQuery: z.string().nullable(),
  maxLatencyMs: z.number().int().positive().nullable(),
  privacy: z.enum(['local']).nullable(),
  files: z.array(FileUse),
  /** What is still unknown, at most three questions in plain words; the build proceeds on `assumptions`. Plain strings come from older specs. */
  clarify: z.array(z.union([Question, z.string()])).max(3),
  assumptions: z.array(z.string()),
  // Absent in specs written before these fields were: a default would change their content hash.
  /** How the answer is laid out, when the words say so: `json`, `table`, `list`, `one sentence`, `at most 3 sentences`, `at most 80 words`, ... */
  outputFormat: z.string().nullable().optional(),
  /** What `transform` does. */
  kindOfTransform: z.enum(['translate', 'summarise', 'simplify', 'rewrite', 'generate']).nullable().optional(),
  /** What the answer must never speak of, in the expert's words. */
  avoid: z.array(z.string()).optional(),
  /** Whether what was handed over is enough to learn or to answer from, by the listing alone. */
  sufficiency: z.enum(['enough', 'some', 'none']).optional(),
  decline: Decline.nullable().optional(),
  /** What was said after the first words, oldest first. */
  history: z.array(Change).optional(),
})
export type Spec = z.infer<typeof Spec>

/** Content hash of a spec. */
export function specId(spec: Spec): Id {
  return contentId(Spec.parse(spec))
}

/** The spec read back in a few plain lines, no jargon. */
export function describeSpec(spec: Spec): string[] {
  const lines: string[] = []
  const domain = spec.domain ? ` about ${spec.domain}` : ''
  if (spec.decline) return [`This is not built: ${spec.decline.reason}`, `What could be built instead: ${spec.decline.alternative}`]
  if (spec.task === 'answer') lines.push(`It answers questions${domain} from your pages.`)
  else if (spec.task === 'classify') {
    const labels = spec.labels ?? []
    const shown = `${labels.slice(0, 8).join(', ')}${labels.length > 8 ? ', ...' : ''}`
    const which = labels.length ? `which of ${labels.length} kinds it is: ${shown}` : 'which kind it is'
    lines.push(`It reads a text${domain} and says ${which}${spec.multiLabel ? '; several may hold' : ''}.`)
  } else if (spec.task === 'extract') lines.push(`It finds ${(spec.fields ?? []).join(', ') || 'fields'} in a text${domain}.`)
  else lines.push(`It ${transforms[spec.kindOfTransform ?? 'rewrite']} a text${domain}.`)
  const into = spec.outputLanguage.filter((language) => !spec.language.includes(language))
  lines.push(`It reads ${spec.language.map(languageName).join(', ')}${into.length ? ` and writes ${spec.outputLanguage.map(languageName).join(', ')}` : ''}.`)
  if (spec.mustCite) lines.push('It quotes your pages word for word and says where each sentence comes from.')
  if (spec.refuseOutsideScope) lines.push('When the pages do not cover a question it says so instead of guessing.')
  if (spec.outputFormat) lines.push(`Its answers are laid out as asked: ${spec.outputFormat}.`)
  if (spec.tone) lines.push(`Tone: ${spec.tone}.`)
  if (spec.audience) lines.push(`For: ${spec.audience}.`)
  if (spec.avoid?.length) lines.push(`It does not speak of ${spec.avoid.join(', ')}.`)
  if (spec.pricePerQuery) lines.push(`A query costs at most ${spec.pricePerQuery} OPEN.`)
  if (spec.maxLatencyMs) lines.push(`An answer takes at most ${spec.maxLatencyMs / 1000} s.`)
  if (spec.privacy === 'local') lines.push('It stays on your own machines.')
  // Thirty pages read the same way are one line, not thirty.
  for (const why of new Set(spec.files.map((file) => file.why))) {
    const names = spec.files.filter((file) => file.why === why).map((file) => file.name)
    lines.push(`${names.length > 3 ? `${names.length} files (${names.slice(0, 2).join(', ')}, ...)` : names.join(', ')}: ${why}`)
  }
  for (const assumption of spec.assumptions) lines.push(`Assumed: ${assumption}`)
  for (const question of spec.clarify) {
    const { question: text, options } = typeof question === 'string' ? { question, options: [] } : question
    lines.push(`Open question: ${text}${options.length ? ` (${options.map((option) => option.label).join(' / ')})` : ''}`)
  }
  if (spec.history?.length) lines.push(`Changed since: ${spec.history.map((change) => `"${change.words}"`).join(', ')}.`)
  return lines
}

const transforms = {
  translate: 'translates',
  summarise: 'summarises',
  simplify: 'puts into simpler words',
  rewrite: 'rewrites',
  generate: 'writes new text out of',
}

/** The English name of a BCP-47 tag, e.g. `sw` -> Swahili; the tag itself when it has none. */
export function languageName(tag: string): string {
  // The names of groups of languages are not in CLDR.
  if (tag === 'btk') return 'Batak'
  try {
    return new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}
