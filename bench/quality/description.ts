/**
 * Description: what a task is, in the six things a benchmark must know: the sentence a domain expert would type, the kind of work, the metric,
 * the columns that go in, the column that is right, and the documents there are. Read from the task's own task.json, or from those we have
 * written down, or guessed from README and columns and then said so. Knows nothing of rows, arms or results.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { isRefusal, type Refusal, refuse } from '../../src/core/errors.ts'
import type { Table } from '../../src/drivers/reader/tables.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const KNOWN = fileURLToPath(new URL('./known-tasks.json', import.meta.url))

/** `F1 of X` is the F1 of the one label X, for tasks where one kind matters and is rare. */
const METRICS = ['accuracy', 'macro-F1', 'weighted-F1', 'entity-F1', 'token-F1'] as const
const ofLabel = /^F1 of (.+)$/

export const Description = z.object({
  sentence: z.string().trim().min(3),
  kind: z.enum(['classify', 'extract', 'answer']),
  metric: z.string().refine((value) => (METRICS as readonly string[]).includes(value) || ofLabel.test(value), {
    error: `must be one of ${METRICS.join(', ')}, or "F1 of" and a label`,
  }),
  /** Columns that make up the input, in order. */
  inputs: z.array(z.string().min(1)).min(1),
  /** The column that holds what is right. */
  target: z.string().min(1),
  /** A folder of pages to answer from, beside the tables. */
  documents: z.string().min(1).optional(),
})
export type Description = z.infer<typeof Description>

/** A description, and where it came from; `inferred` says in sentences what had to be guessed. */
export type Described = { description: Description; from: 'task.json' | 'known' | 'inferred'; inferred: string[]; documents: string | null }

/** The label whose F1 is meant, where the metric is of one label. */
export const labelOfMetric = (metric: string): string | undefined => ofLabel.exec(metric)?.[1]

/** The description of a task's folder. Refuses a task.json that is none, and columns from which nothing can be guessed. */
export function describeTask(folder: string, name: string, table: Table): Described | Refusal {
  const own = join(folder, 'task.json')
  if (existsSync(own)) {
    const read = readOwn(own, name)
    if (isRefusal(read)) return read
    return { description: read, from: 'task.json', inferred: [], documents: read.documents === undefined ? null : resolve(folder, read.documents) }
  }
  const written = join(ROOT, 'bench', 'tasks', name, 'task.json')
  const known = existsSync(written) ? readOwn(written, name) : z.record(z.string(), Description).parse(JSON.parse(readFileSync(KNOWN, 'utf8')))[name]
  if (isRefusal(known)) return known
  // Pages of a known task are those in the repository: its own folder holds tables alone.
  if (known) return { description: known, from: 'known', inferred: [], documents: known.documents === undefined ? null : resolve(ROOT, known.documents) }
  return infer(folder, name, table)
}

function readOwn(path: string, name: string): Description | Refusal {
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch {
    return refuse(
      'task_description_unreadable',
      `The task.json of ${name} is not JSON.`,
      'Correct it, or remove it so that it is inferred from README and columns.',
    )
  }
  const parsed = Description.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]!
  return refuse(
    'task_description_invalid',
    `The task.json of ${name} is no description: ${issue.path.join('.') || 'it'} ${issue.message}.`,
    'It holds sentence, kind, metric, inputs, target and, where there are pages, documents.',
  )
}

const TEXTS = ['text', 'sentence', 'input', 'utterance', 'review', 'tweet', 'query', 'document', 'body', 'abstract', 'title']
const LABELS = ['label', 'labels', 'category', 'class', 'intent', 'topic', 'sentiment', 'kind', 'target']
/** More different values than this are no kinds of anything. */
const MOST_KINDS = 200

function infer(folder: string, name: string, { columns, rows }: Table): Described | Refusal {
  const inferred: string[] = []
  const all = [...rows]
  const readme = readmeOf(folder)
  const named = (wanted: readonly string[]) => wanted.map((one) => columns.find((column) => column.toLowerCase() === one)).find((one) => one !== undefined)
  const different = (column: string) => new Set(all.map((row) => row[column]?.trim() ?? '').filter(Boolean))
  const length = (column: string) => all.slice(0, 500).reduce((sum, row) => sum + (row[column]?.length ?? 0), 0)
  const longest = (among: readonly string[]) => [...among].sort((a, b) => length(b) - length(a))[0]
  const say = (description: Omit<Description, 'documents'>): Described => {
    const pages = ['documents', 'pages'].find((one) => existsSync(join(folder, one)) && statSync(join(folder, one)).isDirectory())
    inferred.push(
      `kind ${description.kind}, input ${description.inputs.join(' + ')}, target ${description.target}: from the columns ${columns.join(', ')}`,
      `the sentence "${description.sentence}": made, as nobody wrote one`,
    )
    if (pages) inferred.push(`documents: the folder ${pages}`)
    return {
      description: { ...description, ...(pages ? { documents: pages } : {}) },
      ...{ from: 'inferred', inferred, documents: pages ? join(folder, pages) : null },
    }
  }

  const tags = named(['tags', 'ner_tags', 'entities'])
  const text = named(TEXTS)
  if (tags && text) {
    const metric = metricOf(readme, 'entity-F1', inferred, ['entity-F1'])
    return say({ sentence: `Find ${subject(readme, 'what is marked')} in these texts.`, kind: 'extract', metric, inputs: [text], target: tags })
  }
  const question = named(['question', 'questions'])
  const answer = named(['answer', 'answers', 'final_decision'])
  const context = named(['context', 'passage', 'abstract'])
  if (question && answer) {
    const said = different(answer)
    // A few answers that come again and again are kinds of an answer.
    if (said.size >= 2 && said.size <= 10 && said.size <= rows.length / 5) {
      const metric = metricOf(readme, 'accuracy', inferred, ['accuracy', 'macro-F1', 'weighted-F1'])
      const sentence = `Answer each question with one of ${[...said].sort().join(', ')}.`
      return say({ sentence, kind: 'classify', metric, inputs: [question, ...(context ? [context] : [])], target: answer })
    }
    const metric = metricOf(readme, 'token-F1', inferred, ['token-F1'])
    return say({ sentence: 'Answer questions from our material and say where each answer stands.', kind: 'answer', metric, inputs: [question], target: answer })
  }
  const label =
    named(LABELS) ??
    columns
      .filter((column) => column !== text && different(column).size >= 2 && different(column).size <= Math.min(MOST_KINDS, rows.length / 3))
      .sort((a, b) => different(a).size - different(b).size)[0]
  const input = text ?? longest(columns.filter((column) => column !== label))
  if (label === undefined || input === undefined || different(label).size > MOST_KINDS)
    return refuse(
      'task_not_understood',
      `It is not clear what ${name} asks for: its columns are ${columns.join(', ')}, and none of them holds kinds, answers or tags.`,
      'Write a task.json with sentence, kind, metric, inputs and target into its folder.',
    )
  const metric = metricOf(readme, 'macro-F1', inferred, ['accuracy', 'macro-F1', 'weighted-F1', 'F1 of'])
  const kinds = [...different(label)].sort()
  const listed = kinds.length <= 12 ? `: ${kinds.join(', ')}` : ''
  return say({ sentence: `Tell me which kind of text this is${listed}.`, kind: 'classify', metric, inputs: [input], target: label })
}

/** The first line of a README that begins so, e.g. "- Metric: accuracy". */
export function readmeLine(folder: string, what: string): string | null {
  return new RegExp(`^[-*\\s]*\\**${what}\\**\\s*:\\**\\s*(.+)$`, 'im').exec(readmeOf(folder))?.[1]?.trim() ?? null
}

function readmeOf(folder: string): string {
  const name = existsSync(folder) ? readdirSync(folder).find((one) => /^readme(\.(md|txt))?$/i.test(one)) : undefined
  return name === undefined ? '' : readFileSync(join(folder, name), 'utf8')
}

/** The metric a README names first, of those that fit the kind. */
function metricOf(readme: string, otherwise: string, inferred: string[], fitting: readonly string[]): string {
  const line = /^[-*\s]*\**metrics?\**\s*:\**\s*(.+)$/im.exec(readme)?.[1] ?? ''
  const places: (readonly [string, number])[] = [
    [`F1 of ${/F1 of the (\S+) class/i.exec(line)?.[1] ?? ''}`, line.search(/F1 of the \S+ class/i)],
    ['weighted-F1', line.search(/weighted[ -]?(average )?F1/i)],
    ['macro-F1', line.search(/macro[ -]?(average )?F1/i)],
    ['accuracy', line.search(/accuracy/i)],
    ['entity-F1', line.search(/entity|span|exact F1/i)],
    ['token-F1', line.search(/token|EM|ROUGE/)],
  ]
  const first = places.filter(([metric, place]) => place >= 0 && fitting.some((one) => metric.startsWith(one))).sort((a, b) => a[1] - b[1])[0]
  inferred.push(first ? `metric ${first[0]}: from the README's "${line}"` : `metric ${otherwise}: the usual one, as the README names none that fits`)
  return first?.[0] ?? otherwise
}

function subject(readme: string, otherwise: string): string {
  const types = /^[-*\s]*entities[^:]*:\s*(.+)$/im.exec(readme)?.[1]
  const names = types?.split(',').map((one) => one.replace(/[\d\s]+$/, '').trim())
  return names?.length ? names.map((one) => `every ${one}`).join(' and ') : otherwise
}
