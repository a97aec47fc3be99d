/**
 * The planner that needs no key and no network: rules over the words and, above all, over what the files show.
 * Deterministic. Knows nothing of file bytes, models or training.
 */

import { refuse } from '../../core/errors.ts'
import { contentId } from '../../core/id.ts'
import type { FileUse, Spec, Task } from '../../core/spec.ts'
import type { FileListing, Planner } from '../../ports/planner.ts'
import { smallWords } from '../language/small-words.ts'
import { type Parts, says, tableParts } from './columns.ts'
import { closestLanguage, languageOf, languagesNamed, plain, tag } from './languages.ts'
import { labelsIn, subjectOf } from './phrases.ts'
import { taskCues, tones, wishes } from './words.ts'

const longestDescription = 20_000

/** What one file looks like before the task is known. */
type Seen = { file: FileListing; parts: Parts | { kind: 'pages' } | { kind: 'unread'; why: string } }

/** Words and listings in, a Spec out. Refuses an empty description and one longer than 20,000 characters. */
export function offlinePlanner(): Planner {
  return {
    name: 'offline',
    async plan({ words, files }) {
      const description = words.trim()
      if (!/\p{L}/u.test(description)) {
        const shown = description ? `The description "${description.slice(0, 40)}" has no words in it.` : 'The description is empty.'
        return refuse('empty_description', shown, 'Say in a sentence what the model should do, for example: "Tell me which kind of clause this is."')
      }
      if (description.length > longestDescription)
        return refuse(
          'description_too_long',
          `The description is ${description.length.toLocaleString('en')} characters long; at most ${longestDescription.toLocaleString('en')} are read.`,
          'Say it in a few sentences and hand over the rest as a file.',
        )
      const seen = files.map(look)
      return build(description, seen, chooseTask(description, seen))
    },
  }
}

function look(file: FileListing): Seen {
  if (file.columns?.length) return { file, parts: tableParts(file) }
  const pages =
    typeof file.sample === 'string' ||
    ['txt', 'md', 'markdown', 'text', 'rst', 'pdf', 'docx', 'html', 'xml', 'folder', 'dir', 'zip'].includes(file.kind.toLowerCase())
  return { file, parts: pages ? { kind: 'pages' } : { kind: 'unread', why: `a ${file.kind} file is not read` } }
}

/** Points for each task: what the files show counts more than any single word. */
function chooseTask(words: string, seen: readonly Seen[]): Task {
  const text = plain(words)
  const points: Record<Task, number> = { answer: 0, classify: 0, extract: 0, transform: 0 }
  for (const task of Object.keys(points) as Task[]) {
    let sum = 0
    for (const [weight, cues] of taskCues[task]) if (says(text, cues)) sum += weight
    points[task] += Math.min(sum, 5)
  }
  const kinds = new Set(seen.map((entry) => entry.parts.kind))
  if (kinds.has('labelled')) points.classify += 4.5
  if (kinds.has('questions')) points.answer += 5
  if (kinds.has('pages')) points.answer += 1.5
  if (kinds.has('pairs')) points.transform += 3
  if (kinds.has('fields')) points.extract += 2
  if (labelsIn(words)) points.classify += 1.5
  const order: Task[] = ['answer', 'classify', 'extract', 'transform']
  return order.reduce((best, task) => (points[task] > points[best] ? task : best), 'answer')
}

function build(words: string, seen: readonly Seen[], task: Task): Spec {
  const text = plain(words)
  const clarify: string[] = []
  const assumptions: string[] = []
  const files = seen.map((entry) => use(entry, task))
  const labelled = seen.find((entry) => entry.parts.kind === 'labelled')?.parts
  const fromData = task === 'classify' && labelled?.kind === 'labelled' ? labelled.labels : []
  const fromWords = task === 'classify' ? labelsIn(words) : undefined
  const separated = fromData.length > 0 && fromData.filter((label) => /[;|]/.test(label)).length > fromData.length * 0.3
  const labels = task === 'classify' ? (fromData.length && !separated ? fromData : (fromWords ?? (fromData.length ? fromData : null))) : null
  const several =
    task === 'classify' ? (says(text, wishes.several.no) ? false : says(text, wishes.several.yes) || separated ? true : fromData.length ? false : null) : null

  const request = languageOf(words) ?? 'en'
  const names = languagesNamed(words)
  const language = readLanguages(seen, task, request, names)
  const outputLanguage = task === 'classify' ? labelLanguage(labels, language[0]!, request) : task === 'answer' ? [language[0]!] : [names.at(-1) ?? request]

  const uses = new Set(files.map((file) => file.use))
  if (task === 'classify' && !uses.has('labelled'))
    clarify.push('Which examples show the right kind? A table with one column for the text and one for its kind is enough.')
  if (task === 'classify' && !labels) clarify.push('Which kinds should it tell apart?')
  if (task === 'classify' && several) assumptions.push('each text gets the one kind that fits best')
  if (task === 'answer' && !uses.has('passages') && !uses.has('questions')) clarify.push('From which pages should it answer? Hand over the texts it may quote.')
  if (task === 'answer' && uses.has('passages') && !uses.has('questions'))
    assumptions.push('questions to examine it with are made from the headings of the pages')
  const uncovered = seen.reduce((sum, entry) => sum + (entry.parts.kind === 'questions' ? entry.parts.uncovered : 0), 0)
  if (task === 'answer' && uncovered) assumptions.push(`questions without an answer (${uncovered}) are ones the pages do not cover, and it should say so`)

  const price = /(\d+(?:[.,]\d+)?)\s*open\b/i.exec(words)?.[1]?.replace(',', '.') ?? null
  return {
    words,
    slug: slug(words, seen),
    task,
    language,
    outputLanguage,
    domain: subjectOf(words),
    labels: labels ? [...labels] : null,
    multiLabel: several,
    fields: task === 'extract' ? fieldsOf(seen) : null,
    mustCite: says(text, wishes.cite.no) ? false : says(text, wishes.cite.yes) ? true : null,
    refuseOutsideScope: says(text, wishes.refuse.no) ? false : says(text, wishes.refuse.yes) || (task === 'answer' && uncovered > 0) ? true : null,
    tone:
      Object.entries(tones)
        .filter(([, cues]) => says(text, cues))
        .map(([tone]) => tone)
        .join(', ') || null,
    audience:
      /(?<![\p{L}])(patients|customers|children|kids|pupils|students|members|tenants|farmers|nurses|apprentices|beginners|colleagues|guests|parents|citizens)(?![\p{L}])/u.exec(
        text,
      )?.[1] ?? null,
    pricePerQuery: price && Number(price) > 0 ? price : null,
    maxLatencyMs: latency(words),
    privacy: says(text, wishes.local.yes) ? 'local' : null,
    files,
    clarify: clarify.slice(0, 3),
    assumptions,
  }
}

/** What a file is used for once the task is known, and the sentence that says so. */
function use({ file, parts }: Seen, task: Task): FileUse {
  const ignored = (why: string): FileUse => ({ name: file.name, use: 'ignored', columns: {}, why })
  const group = (name: string | undefined) => (name === undefined ? {} : { group: name })
  switch (parts.kind) {
    case 'pages':
      return task === 'answer'
        ? { name: file.name, use: 'passages', columns: {}, why: 'a text to answer from and to quote' }
        : ignored('a text without examples of the right answer, so it is not used')
    case 'labelled':
      if (task === 'classify')
        return { name: file.name, use: 'labelled', columns: { text: parts.text, label: parts.label, ...group(parts.group) }, why: parts.why }
      return ignored('a table of texts and their kinds, which this task does not need')
    case 'questions':
      if (task === 'answer')
        return { name: file.name, use: 'questions', columns: { question: parts.question, answer: parts.answer, ...group(parts.group) }, why: parts.why }
      return ignored('a table of questions and answers, which this task does not need')
    case 'unread':
      return ignored(`${parts.why}, so it is not used`)
    default:
      return ignored(`${parts.why}${file.columns && parts.kind !== 'none' ? ` (columns ${file.columns.join(', ')})` : ''}, so it is not used`)
  }
}

/** The samples decide; what the words name helps where letters alone cannot tell; else the language of the words. */
function readLanguages(seen: readonly Seen[], task: Task, request: string, names: readonly string[]): string[] {
  const sample = seen
    .map(({ file, parts }) => {
      if (typeof file.sample === 'string') return task === 'answer' ? file.sample.slice(0, 1500) : ''
      if (!Array.isArray(file.sample) || !file.sample.length) return ''
      const column = parts.kind === 'labelled' || parts.kind === 'unlabelled' ? parts.text : parts.kind === 'questions' ? parts.question : undefined
      return file.sample.map((row) => (column === undefined ? Object.values(row).join(' ') : (row[column] ?? ''))).join('\n')
    })
    .join('\n')
    .trim()
  const found = sample.length >= 20 ? languageOf(sample, sample.length < 400 ? [...names, request] : names) : undefined
  if (found) return [found]
  if (task === 'transform' && names.length > 1) return [names[0]!]
  return names.length && task !== 'transform' ? [...names] : [request]
}

/** Labels are a few words, too few for letter statistics over all languages: only the likely ones compete. */
function labelLanguage(labels: readonly string[] | null, reading: string, request: string): string[] {
  if (!labels?.some((label) => /\p{L}{3}/u.test(label))) return []
  const likely = [...new Set([reading, request, 'en'])]
  if (likely.length === 1) return likely
  const joined = labels.join(' ').replace(/[_/-]/g, ' ')
  const latin = /\p{Script=Latin}/u.test(joined)
  const fitting = likely.filter((code) => latin === /\p{Script=Latin}/u.test(new Intl.DisplayNames([code], { type: 'language' }).of(code) ?? 'a'))
  return [closestLanguage(joined, fitting) ?? fitting[0] ?? request].map(tag)
}

function fieldsOf(seen: readonly Seen[]): string[] | null {
  const fields = seen.flatMap((entry) => (entry.parts.kind === 'fields' ? entry.parts.fields : []))
  return fields.length ? fields : null
}

function latency(words: string): number | null {
  const found = /(\d+(?:[.,]\d+)?)\s*(ms|milliseconds?|s|sec|seconds?|segundos?|secondes?|sekunden?|sekunde|detik|sekunde)(?![\p{L}])/iu.exec(words)
  if (!found) return null
  const value = Math.round(Number(found[1]!.replace(',', '.')) * (found[2]!.toLowerCase().startsWith('m') ? 1 : 1000))
  return value > 0 ? value : null
}

/** A short name from the words that say most; from the files where the words are not in Latin letters. */
function slug(words: string, seen: readonly Seen[]): string {
  const small = new Set(Object.values(smallWords).flatMap((list) => plain(list).split(' ')))
  const dull = new Set(
    'want need like would should could please answer answers question questions text texts model tell kind type these those them some something thing things come comes cover pages page read see soma'.split(
      ' ',
    ),
  )
  const clean = (text: string) =>
    plain(text)
      .split(/[^a-z0-9]+/)
      .filter((word) => word.length > 2 && word.length < 20 && !small.has(word) && !dull.has(word))
  const subject = clean(subjectOf(words) ?? '')
  const said = clean(words)
  const files = seen.slice(0, 1).flatMap(({ file }) => clean(file.name.replace(/^.*\//, '').replace(/\.[^.]*$/, '')))
  const chosen = [...new Set([...subject, ...(subject.length >= 2 ? [] : said), ...(said.length ? [] : files)])].slice(0, 3)
  const name = chosen.join('-').slice(0, 40).replace(/-+$/, '')
  return name || `model-${contentId(words).slice(2, 10)}`
}
