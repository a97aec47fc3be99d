/**
 * Spec: what the words asked for, in fields a person can read back. The leftmost noun of the river.
 * Knows nothing of how it was found out (that is the planner's business) or of what will be built from it.
 */
import { z } from 'zod'
import { contentId, type Id } from './id.ts'

/** What the model does with a text. `extract` and `transform` are planned for but not yet built. */
export const Task = z.enum(['answer', 'classify', 'extract', 'transform'])
export type Task = z.infer<typeof Task>

/** What one file is used for, and why; a table's columns by the part they play. */
export const FileUse = z.object({
  name: z.string().min(1),
  use: z.enum(['passages', 'labelled', 'questions', 'ignored']),
  /** Column names of a table by role; `label`/`text` for labelled, `question`/`answer` for questions. */
  columns: z.object({ text: z.string(), label: z.string(), question: z.string(), answer: z.string(), group: z.string() }).partial(),
  /** One sentence for the expert: why the file is read this way. */
  why: z.string(),
})
export type FileUse = z.infer<typeof FileUse>

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
  /** What is still unknown, as questions in plain words; the build proceeds on `assumptions`. */
  clarify: z.array(z.string()),
  assumptions: z.array(z.string()),
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
  if (spec.task === 'answer') lines.push(`It answers questions${domain} from your pages.`)
  else if (spec.task === 'classify')
    lines.push(
      `It reads a text${domain} and says which of ${spec.labels?.length ?? 0} kinds it is: ${(spec.labels ?? []).slice(0, 8).join(', ')}${(spec.labels?.length ?? 0) > 8 ? ', ...' : ''}.`,
    )
  else if (spec.task === 'extract') lines.push(`It finds ${(spec.fields ?? []).join(', ') || 'fields'} in a text${domain}.`)
  else lines.push(`It rewrites a text${domain}.`)
  lines.push(`It reads ${spec.language.map(languageName).join(', ')}.`)
  if (spec.mustCite) lines.push('It quotes your pages word for word and says where each sentence comes from.')
  if (spec.refuseOutsideScope) lines.push('When the pages do not cover a question it says so instead of guessing.')
  // Thirty pages read the same way are one line, not thirty.
  for (const why of new Set(spec.files.map((file) => file.why))) {
    const names = spec.files.filter((file) => file.why === why).map((file) => file.name)
    lines.push(`${names.length > 3 ? `${names.length} files (${names.slice(0, 2).join(', ')}, ...)` : names.join(', ')}: ${why}`)
  }
  for (const assumption of spec.assumptions) lines.push(`Assumed: ${assumption}`)
  for (const question of spec.clarify) lines.push(`Open question: ${question}`)
  return lines
}

/** The English name of a BCP-47 tag, e.g. `sw` -> Swahili; the tag itself when it has none. */
function languageName(tag: string): string {
  try {
    return new Intl.DisplayNames(['en'], { type: 'language' }).of(tag) ?? tag
  } catch {
    return tag
  }
}
