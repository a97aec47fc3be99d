/**
 * Spec + contents -> the examples that stand in them, as they are, and the passages to quote; one way a task. Reads tables by the
 * columns the spec names. Knows nothing of parts, duplicates or models.
 */
import { duplicateKey, type Example, exampleOf, fraction, type Passage, type Said } from '../core/dataset.ts'
import { type Refusal, refuse } from '../core/errors.ts'
import { hashText } from '../core/id.ts'
import { entitiesOf, partsOf } from '../core/spans.ts'
import type { ColumnRoles, FileUse, Spec } from '../core/spec.ts'
import type { Content } from '../ports/reader.ts'
import { passage, passagesOf } from './passages.ts'
import { questionsFrom } from './questions.ts'

/** With fewer cases an exam of 30 would leave nothing to learn from. */
export const leastCases = 60
/** Examples a dataset takes; of longer tables an even part is read, all rows of rare kinds in it. */
export const mostCases = 100_000
/** Rows of one kind that are read whatever the table's length. */
const ALWAYS = 500
/** Rows of a table of facts that become passages. */
const MOST_FACTS = 5000

export type Gathered = {
  cases: Example[]
  passages: Passage[]
  rows: number
  documents: number
  unusable: number
  beyond: number
  boilerplate: string[]
  notes: string[]
}
export type Table = Extract<Content, { kind: 'table' }>
export type Text = Extract<Content, { kind: 'text' }>

/** Everything the contents hold for a task. Refuses where nothing can be found or a named column is not there. */
export function gather(spec: Spec, contents: readonly Content[]): Gathered | Refusal {
  if (spec.task === 'answer') return answerCases(spec, contents)
  if (spec.task === 'classify') return rowCases(spec, contents, 'labelled', spec.multiLabel ? labelsOf : labelOf)
  if (spec.task === 'extract') return rowCases(spec, contents, 'fields', entitiesOfRow)
  return rowCases(spec, contents, 'pairs', pairOf)
}

type Row = Record<string, string>
type FromRow = (row: Row, columns: ColumnRoles) => Said | undefined

const cell = (row: Row, column: string | undefined): string => (column === undefined ? '' : (row[column]?.trim() ?? ''))
/** A text and, where the row has one, what it is about, below it. */
const inputOf = (row: Row, columns: ColumnRoles): string => [cell(row, columns.text), cell(row, columns.context)].filter(Boolean).join('\n\n')

const labelOf: FromRow = (row, columns) => {
  const label = cell(row, columns.label)
  return label ? { input: inputOf(row, columns), label } : undefined
}
const labelsOf: FromRow = (row, columns) => ({ input: inputOf(row, columns), labels: partsOf(row[columns.label!] ?? '') })
const pairOf: FromRow = (row, columns) => {
  const output = cell(row, columns.target)
  return output ? { input: inputOf(row, columns), output } : undefined
}
const entitiesOfRow: FromRow = (row, columns) => {
  const input = row[columns.text!] ?? ''
  const entities = entitiesOf(input, row, columns)
  return entities && { input, entities }
}

/** The columns a use cannot do without. */
const needed: Record<'labelled' | 'questions' | 'fields' | 'pairs', (columns: ColumnRoles) => (string | undefined)[]> = {
  labelled: (columns) => [columns.text, columns.label],
  questions: (columns) => [columns.question, columns.answer],
  pairs: (columns) => [columns.text, columns.target],
  fields: (columns) => [columns.text, ...((columns.tags ?? columns.entities) ? [(columns.tags ?? columns.entities)!] : (columns.values ?? [undefined]))],
}

function rowCases(spec: Spec, contents: readonly Content[], use: 'labelled' | 'fields' | 'pairs', said: FromRow): Gathered | Refusal {
  const found = tables(spec, contents, use)
  const rows = found.reduce((sum, { table }) => sum + table.rows.length, 0)
  const share = mostCases / Math.max(rows, mostCases)
  const seen = new Map<string, number>()
  const cases: Example[] = []
  let unusable = 0
  let beyond = 0
  for (const { table, use: file } of found) {
    const missing = missingColumns(table, [...needed[use](file.columns), ...optional(file.columns)])
    if (missing) return missing
    let number = 0
    for (const row of table.rows) {
      number++
      const read = said(row, file.columns)
      if (!read || !duplicateKey(read.input)) {
        unusable++
        continue
      }
      if (share < 1) {
        const kind = read.label ?? ''
        const before = seen.get(kind) ?? 0
        seen.set(kind, before + 1)
        // By what the text says, so that its repetitions are read or left together.
        if ((!read.label || before >= ALWAYS) && fraction(duplicateKey(read.input), 0) >= share) {
          beyond++
          continue
        }
      }
      cases.push(exampleOf(read, { file: table.name, row: number }, cell(row, file.columns.group) || undefined))
    }
  }
  if (cases.length) return { cases, passages: [], rows, documents: 0, unusable, beyond, boilerplate: [], notes: [] }
  const all = contents.filter((content): content is Table => content.kind === 'table')
  const what = {
    labelled: ['texts and their kinds', 'one column for the text and one that says which of several kinds it is; call them "text" and "label" to be sure'],
    fields: ['texts and what was found in them', 'a column for the text and one a field for what stands in it word for word'],
    pairs: ['texts and what became of them', 'a column for the text and one for what it should become; call them "text" and "target" to be sure'],
  }[use]
  return refuse(
    'columns_missing',
    all.length ? `No table with ${what[0]} was found: ${all.map(shape).join('; ')}.` : 'No table of examples was found among the files.',
    `Hand over at least ${leastCases} rows with ${what[1]}, or name the columns, for example --column text=NAME.`,
  )
}

function answerCases(spec: Spec, contents: readonly Content[]): Gathered | Refusal {
  const names = new Set(spec.files.filter((file) => file.use === 'passages').map((file) => file.name))
  const texts = contents.filter((content): content is Text => content.kind === 'text' && names.has(content.name))
  const facts = contents.filter((content): content is Table => content.kind === 'table' && names.has(content.name))
  const language = spec.language[0]!
  const cut = passagesOf(texts, language)
  const notes = [...cut.notes]
  const passages = [...cut.passages, ...facts.flatMap(factPassages)]
  const asked: Example[] = []
  let unusable = 0
  let rows = facts.reduce((sum, table) => sum + table.rows.length, 0)
  const pages = texts.map((text) => ({ name: text.name, key: duplicateKey(text.text) }))
  /** Answers that no page holds, by their place among what is asked. */
  const unfound: { place: number; answer: string; table: Table; row: number }[] = []
  let answered = 0
  // The same answer or context under many questions is one page.
  const known = new Set<string>()
  const addPages = (text: string, table: Table, row: number): string => {
    const key = hashText(duplicateKey(text)).slice(2, 18)
    if (!known.has(key))
      passages.push(
        ...passagesOf([{ name: table.name, text }], language).passages.map((item) =>
          passage('', item.heading, item.sentences, { file: table.name, row, ...(item.heading ? { heading: item.heading } : {}) }),
        ),
      )
    known.add(key)
    return key
  }
  for (const { table, use } of tables(spec, contents, 'questions')) {
    const missing = missingColumns(table, [...needed.questions(use.columns), ...optional(use.columns)])
    if (missing) return missing
    rows += table.rows.length
    let number = 0
    for (const row of table.rows) {
      number++
      const input = cell(row, use.columns.question)
      if (!input || !duplicateKey(input)) {
        unusable++
        continue
      }
      const answer = cell(row, use.columns.answer) || null
      const context = cell(row, use.columns.context)
      const source = { file: table.name, row: number }
      if (answer !== null) answered++
      let group = cell(row, use.columns.group) || undefined
      if (context) {
        const page = addPages(context, table, number)
        group ??= page
      } else if (answer !== null && texts.length) {
        const opening = duplicateKey(answer).slice(0, 150)
        const page = pages.find((candidate) => candidate.key.includes(opening))
        if (page) group ??= page.name
        else unfound.push({ place: asked.length, answer, table, row: number })
      } else if (answer !== null) addPages(answer, table, number)
      asked.push(exampleOf({ input, answer }, source, group))
    }
  }
  if (unfound.length * 2 > answered) {
    // Pages that hold few of the answers are not what the questions were answered from.
    for (const { place, answer, table, row } of unfound) {
      const one = asked[place]!
      const page = addPages(answer, table, row)
      asked[place] = { ...one, group: one.group === duplicateKey(one.input) ? page : one.group }
    }
    notes.push(`${unfound.length} answers do not stand in the other files, so they are pages to quote themselves.`)
  } else if (unfound.length) notes.push(`${unfound.length} answers do not stand in the pages word for word; the model can only quote the pages.`)
  if (!passages.length)
    return refuse(
      'no_passages',
      'There are no pages to answer from.',
      'Hand over the texts the model may quote (.md, .txt, .pdf, .docx), or a table of questions with their answers.',
    )
  // Made questions only fill up what people's own leave open: they never take the place of one.
  const wanted = questionsWanted(passages.length) - asked.length
  if (asked.length < leastCases && wanted > 0) {
    const made = questionsFrom(passages, { language, most: wanted })
    if (made.length)
      notes.push(
        asked.length
          ? `There were only ${asked.length} questions, so ${made.length} more were made from the pages.`
          : `There was no table of questions, so ${made.length} were made from the headings, definitions, lists and sentences of the pages.`,
      )
    asked.push(...made)
  }
  if (!asked.some((item) => item.answer === null))
    notes.push('No question stands for what the pages do not cover; add some with an empty answer, so that the model learns to say so.')
  return { cases: asked, passages, rows, documents: texts.length, unusable, beyond: 0, boilerplate: cut.repeated, notes }
}

/** The number of questions follows the length of the pages: about two for three passages. */
export function questionsWanted(passages: number): number {
  return Math.min(600, Math.max(120, Math.round(passages * 0.66)))
}

/** Each row of a table of facts is a passage, each cell a sentence of it. */
function factPassages(table: Table): Passage[] {
  const title = table.name
    .replace(/^.*\//, '')
    .replace(/\.[^.#]*(?=#|$)/, '')
    .replace(/[_#-]+/g, ' ')
  const found: Passage[] = []
  let number = 0
  for (const row of table.rows) {
    if (++number > MOST_FACTS) break
    const cells = table.columns.flatMap((column) => (row[column]?.trim() ? [`${column}: ${row[column]!.trim().replace(/\s+/g, ' ')}`] : []))
    if (cells.length > 1) found.push(passage(title, row[table.columns[0]!]!.trim().slice(0, 80), cells, { file: table.name, row: number }))
  }
  return found
}

export function tables(spec: Spec, contents: readonly Content[], use: FileUse['use']): { table: Table; use: FileUse }[] {
  return spec.files.flatMap((file) => {
    const table = contents.find((content): content is Table => content.kind === 'table' && content.name === file.name)
    return table && file.use === use ? [{ table, use: file }] : []
  })
}

/** A table in a few words: its rows, its columns, and a column that says the same in all rows. */
function shape(table: Table): string {
  let first: Row = {}
  let constants: string[] | undefined
  for (const row of table.rows) {
    if (!constants) first = row
    constants = (constants ?? table.columns).filter((column) => first[column] && row[column] === first[column])
    if (!constants.length) break
  }
  const same = table.rows.length < 2 ? undefined : constants?.[0]
  const constant = same === undefined ? '' : `, and "${same}" says "${first[same]!.slice(0, 60)}" in every row`
  return `${table.name} has ${table.rows.length} ${table.rows.length === 1 ? 'row' : 'rows'} with the columns ${table.columns.join(', ')}${constant}`
}

const optional = (columns: ColumnRoles): string[] => [columns.group, columns.context].filter((name) => name !== undefined)

function missingColumns(table: Table, wanted: readonly (string | undefined)[]): Refusal | undefined {
  const missing = wanted.filter((name) => name === undefined || !table.columns.includes(name))
  if (!missing.length) return undefined
  return refuse(
    'columns_missing',
    `${table.name} lacks the column ${missing.map((name) => `"${name ?? '?'}"`).join(' and ')}; it has ${table.columns.join(', ')}.`,
    'Name the columns in the first row and hand the table over again, or say which is which, for example --column text=NAME.',
  )
}
