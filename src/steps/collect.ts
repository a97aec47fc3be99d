/**
 * Spec + contents -> Dataset and Exam. The exam is set aside first, by whole groups; then practice; the rest is training.
 * Nothing of the exam, nor anything nearly like it, is left in the other two. Knows nothing of tokens or models.
 */
import { type Dataset, duplicateKey, type Exam, type Example, examId, exampleId, type Passage } from '../core/dataset.ts'
import { isRefusal, type Refusal, refuse } from '../core/errors.ts'
import { contentId, type Id } from '../core/id.ts'
import { type FileUse, type Spec, specId } from '../core/spec.ts'
import type { Content } from '../ports/reader.ts'
import { Likeness } from './likeness.ts'
import { part } from './parts.ts'
import { passage, passagesOf } from './passages.ts'

/** With fewer cases an exam of 30 would leave nothing to learn from. */
export const leastCases = 60

export type Collected = { dataset: Dataset; exam: Exam }

type Table = Extract<Content, { kind: 'table' }>
type Text = Extract<Content, { kind: 'text' }>

/**
 * `seed` moves what falls into which part; `salt` keeps a short exam from being guessed from its hash and is made from the
 * contents unless given. The same spec, contents, seed and salt give the same ids on every machine.
 */
export function collect(spec: Spec, contents: readonly Content[], options: { seed?: number; salt?: Id } = {}): Collected | Refusal {
  if (!contents.length)
    return refuse('no_files', 'No files were handed over.', 'Add the files the model should learn from: pages to answer from, or a table of examples.')
  const seed = options.seed ?? 1
  const notes: string[] = contents.flatMap((content) => (content.note ? [`${content.name}: ${content.note}.`] : []))
  const gathered =
    spec.task === 'classify' ? classifyCases(spec, contents, notes) : spec.task === 'answer' ? answerCases(spec, contents, notes) : notBuilt(spec)
  if (isRefusal(gathered)) return gathered
  const { cases, passages } = gathered
  if (cases.length < leastCases) return tooFew(spec, cases.length)
  const kind = (example: Example): string => example.label ?? (example.answer === null ? 'not covered' : 'covered')
  const parts = part(cases, kind, seed)
  if (parts.exam.length < 15 || parts.training.length < 15) {
    const groups = new Set(cases.map((example) => example.group)).size
    return refuse(
      'too_few_groups',
      `The ${cases.length} examples come from only ${groups} documents, too few to keep some apart for the exam.`,
      'Add examples from more documents, or leave out the column that names the document.',
    )
  }
  const held = new Likeness()
  for (const example of parts.exam) held.add(example.input)
  const apart = (examples: Example[]): Example[] => examples.filter((example) => !held.find(example.input).length)
  const training = apart(parts.training)
  const practice = apart(parts.practice)
  const leaking = parts.training.length + parts.practice.length - training.length - practice.length
  if (leaking) notes.push(`${leaking} examples nearly like one in the exam were left out of training.`)
  for (const label of new Set(cases.map(kind))) {
    const number = training.filter((example) => kind(example) === label).length
    if (number < 5) notes.push(`Only ${number} training ${number === 1 ? 'example' : 'examples'} for "${label}": more would help.`)
  }
  notes.push(`${parts.exam.length} cases were set aside as the sealed exam, ${practice.length} are practice, ${training.length} are for training.`)
  const id = specId(spec)
  const salt = options.salt ?? contentId({ salt: seed, cases: cases.map((example) => example.id), specId: id })
  const exam: Exam = { specId: id, salt, cases: parts.exam }
  return { dataset: { specId: id, examId: examId(exam), training, practice, passages, notes }, exam }
}

type Gathered = { cases: Example[]; passages: Passage[] }

function classifyCases(spec: Spec, contents: readonly Content[], notes: string[]): Gathered | Refusal {
  const cases: Example[] = []
  let unusable = 0
  for (const { table, use } of tables(spec, contents, 'labelled')) {
    const missing = missingColumns(table, [use.columns.text, use.columns.label])
    if (missing) return missing
    for (const [index, row] of table.rows.entries()) {
      const input = row[use.columns.text!]?.trim()
      const label = row[use.columns.label!]?.trim()
      if (!input || !label || !duplicateKey(input)) unusable++
      else cases.push(example({ input, label }, { file: table.name, row: index + 1 }, use.columns.group ? row[use.columns.group] : undefined))
    }
  }
  if (!cases.length) {
    const found = contents.filter((content): content is Table => content.kind === 'table')
    return refuse(
      'columns_missing',
      found.length ? `No table with texts and their kinds was found: ${found.map(shape).join('; ')}.` : 'No table of examples was found among the files.',
      `Hand over at least ${leastCases} rows with one column for the text and one that says which of several kinds it is; call them "text" and "label" to be sure.`,
    )
  }
  if (unusable) notes.push(`${unusable} rows without a text or without a label were left out.`)
  const kept = withoutDuplicates(cases, notes)
  const counts = new Map<string, number>()
  for (const item of kept) counts.set(item.label!, (counts.get(item.label!) ?? 0) + 1)
  const single = [...counts].filter(([, count]) => count === 1).map(([label]) => label)
  if (counts.size < 2)
    return refuse(
      'one_label',
      `Every example has the same label, "${[...counts.keys()][0]}".`,
      'Add examples of at least one other kind, so that there is something to tell apart.',
    )
  if (single.length) {
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
  return { cases: kept, passages: [] }
}

function answerCases(spec: Spec, contents: readonly Content[], notes: string[]): Gathered | Refusal {
  const names = new Set(spec.files.filter((file) => file.use === 'passages').map((file) => file.name))
  const texts = contents.filter((content): content is Text => content.kind === 'text' && names.has(content.name))
  const language = spec.language[0]!
  const cut = passagesOf(texts, language)
  notes.push(...cut.notes)
  const passages = cut.passages
  const asked: Example[] = []
  let blank = 0
  const pages = texts.map((text) => ({ name: text.name, key: duplicateKey(text.text) }))
  let unfound = 0
  for (const { table, use } of tables(spec, contents, 'questions')) {
    const missing = missingColumns(table, [use.columns.question, use.columns.answer])
    if (missing) return missing
    for (const [index, row] of table.rows.entries()) {
      const input = row[use.columns.question!]?.trim()
      if (!input || !duplicateKey(input)) {
        blank++
        continue
      }
      const answer = row[use.columns.answer!]?.trim() || null
      const source = { file: table.name, row: index + 1 }
      let group = use.columns.group ? row[use.columns.group] : undefined
      if (answer !== null && texts.length) {
        const opening = duplicateKey(answer).slice(0, 150)
        const page = pages.find((candidate) => candidate.key.includes(opening))
        if (page) group ??= page.name
        else unfound++
      }
      if (answer !== null && !texts.length)
        passages.push(...passagesOf([{ name: table.name, text: answer }], language).passages.map((item) => passage('', '', item.sentences, source)))
      asked.push(example({ input, answer }, source, group))
    }
  }
  if (!passages.length)
    return refuse(
      'no_passages',
      'There are no pages to answer from.',
      'Hand over the texts the model may quote (.md or .txt), or a table of questions with their answers.',
    )
  if (blank) notes.push(`${blank} rows without a question were left out.`)
  if (unfound) notes.push(`${unfound} answers do not stand in the pages word for word; the model can only quote the pages.`)
  if (!asked.length) {
    asked.push(...questionsFromHeadings(passages))
    notes.push(`There was no table of questions, so ${asked.length} were made from the headings of the pages.`)
  }
  const kept = withoutDuplicates(asked, notes)
  if (!kept.some((item) => item.answer === null))
    notes.push('No question stands for what the pages do not cover; add some with an empty answer, so that the model learns to say so.')
  return { cases: kept, passages }
}

/** A heading asks, the text under it answers. Only of use where nobody handed over questions. */
function questionsFromHeadings(passages: readonly Passage[]): Example[] {
  const sections = new Map<string, Passage[]>()
  for (const item of passages) {
    if (!item.heading) continue
    const key = `${item.source.file}\n${item.heading.split(' - ')[0]}`
    sections.set(key, [...(sections.get(key) ?? []), item])
  }
  return [...sections.values()].map((items) => {
    const first = items[0]!
    const heading = first.heading.split(' - ')[0]!
    const input = /[?？؟]$/.test(heading) ? heading : `${first.title}: ${heading}`
    return example({ input, answer: items.flatMap((item) => item.sentences).join(' ') }, { file: first.source.file, heading }, first.source.file)
  })
}

/** An example stands alone unless a document or topic binds it to others. */
function example(said: { input: string; label?: string; answer?: string | null }, source: Example['source'], group: string | undefined): Example {
  return { id: exampleId(said), ...said, source, group: group?.trim() || duplicateKey(said.input) }
}

/**
 * One of each: exact and near duplicates go when they say the same; an input with several labels keeps the one most rows
 * give, and goes when there is no such one. Near duplicates that say different things stay, bound to one group.
 */
function withoutDuplicates(cases: readonly Example[], notes: string[]): Example[] {
  const byKey = new Map<string, Example[]>()
  for (const item of cases) {
    const key = duplicateKey(item.input)
    const same = byKey.get(key)
    if (same) same.push(item)
    else byKey.set(key, [item])
  }
  const counts = { exact: 0, contradicting: 0, near: 0 }
  const contradictions: string[] = []
  const singles: Example[] = []
  for (const same of byKey.values()) {
    const votes = new Map<string, Example[]>()
    for (const item of same) {
      const said = item.label ?? duplicateKey(item.answer ?? '')
      votes.set(said, [...(votes.get(said) ?? []), item])
    }
    const [first, second] = [...votes.values()].sort((a, b) => b.length - a.length)
    counts.exact += same.length - votes.size
    if (second) {
      counts.contradicting++
      contradictions.push(
        `"${same[0]!.input.slice(0, 60)}" (rows ${same
          .slice(0, 4)
          .map((item) => item.source.row ?? '?')
          .join(', ')})`,
      )
    }
    // Questions may well have two right answers: the first stands. A label cannot be two things.
    if (!second || second.length < first!.length || first![0]!.label === undefined) singles.push(first![0]!)
  }
  const group = new Map<string, string>()
  const root = (name: string): string => {
    let found = name
    while (group.has(found)) found = group.get(found)!
    return found
  }
  const likeness = new Likeness()
  const kept: Example[] = []
  for (const item of singles) {
    const alike = likeness.find(item.input).map((index) => kept[index]!)
    if (
      alike.some((other) => other.label === item.label && (item.label !== undefined || duplicateKey(other.answer ?? '') === duplicateKey(item.answer ?? '')))
    ) {
      counts.near++
      continue
    }
    for (const other of alike) if (root(other.group) !== root(item.group)) group.set(root(item.group), root(other.group))
    likeness.add(item.input)
    kept.push(item)
  }
  if (counts.exact) notes.push(`${counts.exact} repeated examples were left out.`)
  if (counts.near) notes.push(`${counts.near} examples nearly the same as another were left out.`)
  if (counts.contradicting)
    notes.push(`${counts.contradicting} texts appear with different answers or labels, for example ${contradictions.slice(0, 3).join('; ')}.`)
  return kept.map((item) => ({ ...item, group: root(item.group) }))
}

function tables(spec: Spec, contents: readonly Content[], use: FileUse['use']): { table: Table; use: FileUse }[] {
  return spec.files.flatMap((file) => {
    const table = contents.find((content): content is Table => content.kind === 'table' && content.name === file.name)
    return table && file.use === use ? [{ table, use: file }] : []
  })
}

/** A table in a few words: its rows, its columns, and a column that says the same in all rows. */
function shape(table: Table): string {
  const first = table.rows[0] ?? {}
  const same = table.rows.length < 2 ? undefined : table.columns.find((column) => first[column] && table.rows.every((row) => row[column] === first[column]))
  const constant = same === undefined ? '' : `, and "${same}" says "${first[same]!.slice(0, 60)}" in every row`
  return `${table.name} has ${table.rows.length} ${table.rows.length === 1 ? 'row' : 'rows'} with the columns ${table.columns.join(', ')}${constant}`
}

function missingColumns(table: Table, wanted: readonly (string | undefined)[]): Refusal | undefined {
  const missing = wanted.filter((name) => name === undefined || !table.columns.includes(name))
  if (!missing.length) return undefined
  return refuse(
    'columns_missing',
    `${table.name} lacks the column ${missing.map((name) => `"${name ?? '?'}"`).join(' and ')}; it has ${table.columns.join(', ')}.`,
    'Name the columns in the first row and hand the table over again.',
  )
}

function tooFew(spec: Spec, count: number): Refusal {
  const what = spec.task === 'classify' ? 'different labelled texts' : 'different questions'
  const enough =
    spec.task === 'classify'
      ? 'About 50 for each kind are good.'
      : 'About 200 are good, some of them about things the pages do not cover, with an empty answer.'
  return refuse(
    'too_few_examples',
    `There are ${count} ${what}; at least ${leastCases} are needed, so that 30 can be kept apart for the exam.`,
    `Add more examples. ${enough}`,
  )
}

const notBuilt = (spec: Spec): Refusal =>
  refuse('task_not_built_yet', `The task "${spec.task}" comes later.`, 'Describe a model that answers from pages or tells kinds of text apart.')
