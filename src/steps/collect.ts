/**
 * Spec + contents -> Dataset, Exam and Findings. The exam is set aside first, by whole groups; then practice; the rest is training.
 * Nothing of the exam, nor anything nearly like it, is left in the other two. Knows nothing of tokens or models.
 */

import { ADDED, type Correction, corrected } from '../core/corrections.ts'
import { type Dataset, type Exam, type Example, examId } from '../core/dataset.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { describeFindings, type Findings } from '../core/findings.ts'
import { contentId, type Id } from '../core/id.ts'
import { type Spec, specId } from '../core/spec.ts'
import type { Content } from '../ports/reader.ts'
import { type Gathered, gather, leastCases } from './cases.ts'
import { clean } from './clean.ts'
import { likenessOf } from './likeness.ts'
import { examSize, type Parts, part, practicePart } from './parts.ts'
import { masked, personalTally } from './personal.ts'

export type Collected = { dataset: Dataset; exam: Exam; findings: Findings }

export type CollectOptions = {
  /** Moves what falls into which part. */
  seed?: number
  /** Keeps a short exam from being guessed from its hash; made from the contents unless given. */
  salt?: Id
  /** Names of contents that are the exam, whole and alone; the rest is training and practice. */
  exam?: readonly string[]
  /** Replaces personal data by its kind. */
  mask?: boolean
  /** What the expert changed: kept through rebuilds by the id of the example it is about. */
  corrections?: readonly Correction[]
  /** Names of contents whose passages are not to be quoted: they teach, and stay out of the package. */
  withhold?: readonly string[]
  /** The BCP-47 tag of a text's language, where somebody can tell. */
  languageOf?: ((text: string) => string | undefined) | undefined
}

/** Texts whose language is told: an even part of more. */
const LANGUAGE_SAMPLE = 400

/** The same spec, contents and options give the same ids on every machine. */
export function collect(spec: Spec, given: readonly Content[], options: CollectOptions = {}): Collected | Refusal {
  if (!given.length)
    return refuse('no_files', 'No files were handed over.', 'Add the files the model should learn from: pages to answer from, or a table of examples.')
  const seed = options.seed ?? 1
  const tally = personalTally()
  for (const content of given) see(spec, content, tally.see)
  const contents = options.mask ? given.map((content) => maskContent(spec, content)) : given
  const forExam = (content: Content) =>
    (options.exam ?? []).some((name) => content.name === name || content.name.startsWith(`${name}#`) || content.name.startsWith(`${name}/`))
  const named = contents.filter(forExam)
  if (options.exam?.length && !named.length)
    return refuse(
      'exam_missing',
      `The exam "${options.exam[0]}" is not among the files.`,
      `Name one of ${contents
        .map(({ name }) => name)
        .slice(0, 8)
        .join(', ')}.`,
    )
  const gathered = gather(spec, named.length ? contents.filter((content) => !forExam(content)) : contents)
  if (isRefusal(gathered)) return gathered
  const cleaned = clean(corrected(gathered.cases, options.corrections ?? []))
  const official = named.length ? officialCases(spec, named, contents) : undefined
  if (isRefusal(official)) return official
  const { cases } = cleaned
  const refused = official ? undefined : (tooFew(spec, cases.length) ?? tooPlain(spec, cases))
  if (refused) return refused
  // What the expert adds is to be learned: it is never drawn into the exam or practice.
  const byHand = cases.filter(({ source }) => source.file === ADDED)
  const drawn = byHand.length ? cases.filter(({ source }) => source.file !== ADDED) : cases
  const parts = official ? { exam: official.cases, ...practicePart(drawn, kindOf, seed) } : part(drawn, kindOf, seed)
  parts.training = [...parts.training, ...byHand]
  if (parts.exam.length < 15 || parts.training.length < 15) {
    const groups = new Set(cases.map((example) => example.group)).size
    if (official)
      return refuse(
        'too_few_examples',
        `There are ${parts.exam.length} exam cases and ${parts.training.length} to learn from; 15 of each are needed.`,
        'Add more rows to the smaller file.',
      )
    return refuse(
      'too_few_groups',
      `The ${cases.length} examples come from only ${groups} documents, too few to keep some apart for the exam.`,
      'Add examples from more documents, or leave out the column that names the document.',
    )
  }
  const { training, practice, leakage } = withoutLeaks(parts)
  if (official && training.length + practice.length < 25)
    return refuse(
      'too_few_examples',
      `Only ${training.length + practice.length} examples are left to learn from once those that also stand in the exam are out.`,
      'Hand over examples that do not stand in the exam file.',
    )
  const id = specId(spec)
  const salt = options.salt ?? contentId({ salt: seed, cases: cases.map((example) => example.id), specId: id })
  const exam: Exam = { specId: id, salt, cases: parts.exam }
  const quotable = [...gathered.passages, ...(official?.passages ?? [])]
  const passages = options.withhold?.length ? quotable.filter(({ source }) => !options.withhold!.includes(source.file)) : quotable
  if (quotable.length && !passages.length)
    return refuse('nothing_to_quote', 'Every document is kept out of quotation, so there is nothing to answer with.', 'Leave at least one in.')
  const findings: Findings = {
    task: spec.task,
    ...{ rows: gathered.rows, documents: gathered.documents, unusable: gathered.unusable, beyond: gathered.beyond },
    ...{ duplicates: cleaned.duplicates, contradictions: cleaned.contradictions, leakage },
    boilerplate: { count: gathered.boilerplate.length, shown: gathered.boilerplate.slice(0, 10) },
    languages: languages(
      cases,
      passages.map((one) => one.sentences.join(' ')),
      options.languageOf,
    ),
    classes: classes(spec, training, parts.exam, [...training, ...practice, ...parts.exam]),
    ...{ personal: tally.found(), masked: options.mask === true },
    parts: { training: training.length, practice: practice.length, exam: parts.exam.length, passages: passages.length },
    made: [...training, ...practice, ...parts.exam].filter(({ made }) => made).length,
    ...{ examId: examId(exam), givenExam: official !== undefined },
  }
  const notes = [
    ...contents.flatMap((content) => (content.note ? [`${content.name}: ${content.note}.`] : [])),
    ...gathered.notes,
    ...describeFindings(findings),
  ]
  return { dataset: { specId: id, examId: examId(exam), training, practice, passages, notes }, exam, findings }
}

/** What is kept in proportion among the parts: the label, or whether the pages cover the question, or whether anything is found. */
export function kindOf(example: Example): string {
  if (example.label !== undefined) return example.label
  if (example.labels) return example.labels.length ? [...example.labels].sort()[0]! : 'none'
  if (example.entities) return example.entities.length ? 'something found' : 'nothing found'
  if (example.output !== undefined) return 'pair'
  return example.answer === null ? 'not covered' : 'covered'
}

/** The exam a file gives: its own repetitions go, nothing else, so that figures compare with those of others. */
function officialCases(spec: Spec, named: readonly Content[], all: readonly Content[]): Gathered | Refusal {
  // A file that is the exam is read as the others of its kind are.
  const like = (use: string) => spec.files.find((file) => file.use === use && !named.some(({ name }) => name === file.name))
  const files = spec.files.map((file) => {
    if (file.use !== 'ignored' || !named.some(({ name }) => name === file.name)) return file
    const table = all.find(({ name }) => name === file.name)
    const model = ['labelled', 'questions', 'fields', 'pairs'].map(like).find((one) => one && table?.kind === 'table' && fits(one.columns, table.columns))
    return model ? { ...file, use: model.use, columns: model.columns } : file
  })
  const gathered = gather({ ...spec, files }, named)
  if (isRefusal(gathered)) return gathered
  const seen = new Set<string>()
  const cases = gathered.cases.filter(({ id, made }) => !made && !seen.has(id) && seen.add(id)).map((one) => ({ ...one, group: `exam ${one.group}` }))
  if (!cases.length) return refuse('exam_empty', `No case was found in the exam "${named[0]!.name}".`, 'Give it the same columns as the examples.')
  return { ...gathered, cases }
}

const fits = (columns: Spec['files'][number]['columns'], held: readonly string[]): boolean =>
  Object.values(columns)
    .flat()
    .every((name) => name === undefined || held.includes(name))

/** Nothing nearly like an exam case is learned from or practised on, and nothing nearly like a practice case is learned from. */
function withoutLeaks(parts: Parts): { training: Example[]; practice: Example[]; leakage: number } {
  const held = likenessOf(parts.exam.length)
  for (const example of parts.exam) held.add(example.input)
  const apart = (examples: Example[]): Example[] => examples.filter((example) => !held.find(example.input).length)
  const practice = apart(parts.practice)
  const training = apart(parts.training)
  return { training, practice, leakage: parts.training.length + parts.practice.length - training.length - practice.length }
}

function tooPlain(spec: Spec, cases: readonly Example[]): Refusal | undefined {
  if (spec.task !== 'classify') {
    if (spec.task === 'extract' && !cases.some((one) => one.entities?.length))
      return refuse('nothing_found', 'No example has anything found in its text.', 'Add examples in which what is wanted stands word for word.')
    return undefined
  }
  const counts = new Map<string, number>()
  for (const item of cases) for (const label of item.labels ?? [item.label ?? '']) counts.set(label, (counts.get(label) ?? 0) + 1)
  const single = [...counts].filter(([, count]) => count === 1).map(([label]) => label)
  if (counts.size < (spec.multiLabel ? 1 : 2))
    return refuse(
      'one_label',
      `Every example has the same label, "${[...counts.keys()][0] ?? ''}".`,
      'Add examples of at least one other kind, so that there is something to tell apart.',
    )
  if (single.length && !spec.multiLabel) {
    const shown = single
      .slice(0, 5)
      .map((label) => `"${label}"`)
      .join(', ')
    const rest = single.length > 5 ? ` and ${single.length - 5} more` : ''
    return refuse(
      'label_with_one_example',
      `Only one example has the label ${shown}${rest}.`,
      'Add more examples of it (20 are good), give it to a broader label, or remove it.',
    )
  }
  return undefined
}

const asked = {
  classify: ['different labelled texts', 'About 50 for each kind are good.'],
  answer: ['different questions', 'About 200 are good, some of them about things the pages do not cover, with an empty answer.'],
  extract: ['different texts with what is found in them', 'About 300 are good.'],
  transform: ['different pairs of texts', 'A few hundred are good.'],
} as const

function tooFew(spec: Spec, count: number): Refusal | undefined {
  if (count >= leastCases) return undefined
  const [what, enough] = asked[spec.task]
  return refuse(
    'too_few_examples',
    `There are ${count} ${what}; at least ${leastCases} are needed, so that ${examSize.least} can be kept apart for the exam.`,
    `Add more examples. ${enough}`,
  )
}

function classes(spec: Spec, training: readonly Example[], exam: readonly Example[], all: readonly Example[]): Findings['classes'] {
  if (spec.task !== 'classify' && spec.task !== 'extract') return []
  const labels = (one: Example): string[] => one.labels ?? (one.label === undefined ? [...new Set((one.entities ?? []).map(({ type }) => type))] : [one.label])
  const count = (examples: readonly Example[]) => {
    const counts = new Map<string, number>()
    for (const one of examples) for (const label of labels(one)) counts.set(label, (counts.get(label) ?? 0) + 1)
    return counts
  }
  const [whole, learned, examined] = [count(all), count(training), count(exam)]
  return [...whole]
    .map(([label, number]) => ({ label, count: number, training: learned.get(label) ?? 0, exam: examined.get(label) ?? 0 }))
    .sort((a, b) => b.count - a.count || (a.label < b.label ? -1 : 1))
}

function languages(cases: readonly Example[], passages: readonly string[], languageOf: CollectOptions['languageOf']): Findings['languages'] {
  if (!languageOf) return []
  // Pages say more than short questions do.
  const texts = passages.length ? passages : cases.map(({ input }) => input)
  const step = Math.max(1, Math.floor(texts.length / LANGUAGE_SAMPLE))
  const sample = texts.filter((_, index) => index % step === 0)
  const counts = new Map<string, number>()
  for (const text of sample) {
    const language = languageOf(text.slice(0, 1000)) ?? 'und'
    counts.set(language, (counts.get(language) ?? 0) + 1)
  }
  return [...counts].map(([language, count]) => ({ language, share: count / sample.length })).sort((a, b) => b.share - a.share)
}

/** Columns whose cells are texts: labels and tags are not hidden, or there would be nothing to learn. */
function textColumns(spec: Spec, content: Extract<Content, { kind: 'table' }>): readonly string[] {
  const file = spec.files.find(({ name }) => name === content.name)
  if (!file || file.use === 'ignored') return []
  const { text, question, answer, context, target } = file.columns
  if (file.use === 'passages') return content.columns
  // Tags stand for the words of the text one by one, so the text must stay as it is.
  return [file.columns.tags === undefined ? text : undefined, question, answer, context, target].filter((name) => name !== undefined)
}

function see(spec: Spec, content: Content, tell: (text: string) => void): void {
  if (content.kind === 'text') {
    if (spec.files.some(({ name, use }) => name === content.name && use !== 'ignored')) tell(content.text)
    return
  }
  const columns = textColumns(spec, content)
  for (const row of content.rows) for (const column of columns) if (row[column]) tell(row[column])
}

function maskContent(spec: Spec, content: Content): Content {
  if (content.kind === 'text') return { ...content, text: masked(content.text) }
  const columns = new Set(textColumns(spec, content))
  const hide = spec.files.find(({ name }) => name === content.name)?.columns.values ?? []
  for (const name of hide) columns.add(name)
  const { rows } = content
  return {
    ...content,
    rows: {
      length: rows.length,
      *[Symbol.iterator]() {
        for (const row of rows) yield Object.fromEntries(Object.entries(row).map(([column, value]) => [column, columns.has(column) ? masked(value) : value]))
      },
    },
  }
}
