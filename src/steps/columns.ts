/**
 * Spec + contents -> the spec with what only the whole of the files can tell, and with the columns the expert chose: the kinds
 * and fields that stand in every row, not in a sample. Knows nothing of how the plan was made.
 */
import { type Refusal, refuse } from '../core/errors.ts'
import { entitiesOf, partsOf } from '../core/spans.ts'
import { ColumnRoles, type FileUse, type Spec } from '../core/spec.ts'
import type { Content } from '../ports/reader.ts'

type Table = Extract<Content, { kind: 'table' }>

/** A choice of the expert: this column plays this part, in one table (`file`) or in every table that has it. */
export type ColumnChoice = { role: string; column: string; file?: string | undefined }

/** Share of a column's values that must stand in the text for it to be found there. */
const FOUND = 0.3

/** The spec with chosen columns and, from all rows, the labels of several and the fields to extract. */
export function fill(spec: Spec, contents: readonly Content[], choices: readonly ColumnChoice[] = []): Spec | Refusal {
  let files = spec.files
  for (const choice of choices) {
    const made = choose(files, contents, choice)
    if (!Array.isArray(made)) return made
    files = made
  }
  const tables = (use: FileUse['use']) =>
    files.flatMap((file) => {
      const table = contents.find((one): one is Table => one.kind === 'table' && one.name === file.name)
      return table && file.use === use ? [{ table, columns: file.columns }] : []
    })
  if (spec.task === 'classify') {
    const labels = new Map<string, number>()
    for (const { table, columns } of tables('labelled'))
      for (const row of table.rows) {
        const cell = row[columns.label ?? '']?.trim() ?? ''
        for (const label of spec.multiLabel ? partsOf(cell) : [cell]) if (label) labels.set(label, (labels.get(label) ?? 0) + 1)
      }
    // What stands in the examples is what can be learned, whatever a sample or the words say.
    return labels.size ? { ...spec, files, labels: byCount(labels, spec.labels ?? []) } : { ...spec, files }
  }
  if (spec.task === 'extract') {
    files = files.map((file) => (file.use === 'fields' && file.columns.values ? withFoundValues(file, contents) : file))
    const types = new Map<string, number>()
    for (const { table, columns } of tables('fields'))
      for (const row of table.rows)
        for (const { type } of entitiesOf(row[columns.text ?? ''] ?? '', row, columns) ?? []) types.set(type, (types.get(type) ?? 0) + 1)
    if (!types.size) return { ...spec, files }
    // What is to be found stands in the examples: it need not be asked.
    const open = spec.clarify.filter((question) => typeof question === 'string' || question.topic !== 'fields')
    const gone = spec.clarify.flatMap((question) => (typeof question !== 'string' && question.topic === 'fields' ? [question.assumed] : []))
    return { ...spec, files, fields: byCount(types, []), clarify: open, assumptions: spec.assumptions.filter((one) => !gone.includes(one)) }
  }
  return { ...spec, files }
}

/** Known ones keep their order; the rest follow, most frequent first. */
function byCount(counts: ReadonlyMap<string, number>, known: readonly string[]): string[] {
  const rest = [...counts].filter(([name]) => !known.includes(name)).sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1))
  return [...known.filter((name) => counts.has(name)), ...rest.map(([name]) => name)]
}

/** Only columns whose values stand in the text can be pointed at there. */
function withFoundValues(file: FileUse, contents: readonly Content[]): FileUse {
  const table = contents.find((one): one is Table => one.kind === 'table' && one.name === file.name)
  const text = file.columns.text
  if (!table || !text) return file
  const counts = new Map(file.columns.values!.map((column) => [column, { filled: 0, found: 0 }]))
  for (const row of table.rows)
    for (const [column, count] of counts) {
      if (!row[column]?.trim()) continue
      count.filled++
      if (entitiesOf(row[text] ?? '', row, { values: [column] })?.length) count.found++
    }
  const values = [...counts].flatMap(([column, { filled, found }]) => (filled > 0 && found >= filled * FOUND ? [column] : []))
  if (!values.length || values.length === file.columns.values!.length) return file
  const left = file.columns.values!.filter((column) => !values.includes(column))
  return {
    ...file,
    columns: { ...file.columns, values },
    why: `${file.why}; ${left.map((name) => `"${name}"`).join(', ')} do not stand in the text and are left out`,
  }
}

const uses = {
  label: 'labelled',
  question: 'questions',
  answer: 'questions',
  target: 'pairs',
  tags: 'fields',
  entities: 'fields',
  values: 'fields',
} as const

function choose(files: readonly FileUse[], contents: readonly Content[], { role, column, file }: ColumnChoice): FileUse[] | Refusal {
  const roles = Object.keys(ColumnRoles.shape)
  if (!roles.includes(role)) return refuse('column_role_unknown', `A column cannot be "${role}".`, `It can be ${roles.join(', ')}.`)
  const holders = contents.filter((one): one is Table => one.kind === 'table' && one.columns.includes(column) && (file === undefined || one.name === file))
  if (!holders.length) {
    const tables = contents.filter((one): one is Table => one.kind === 'table' && (file === undefined || one.name === file))
    const held = [...new Set(tables.flatMap((one) => one.columns))]
    return refuse(
      'column_missing',
      file === undefined ? `No table has a column "${column}".` : `${file} has no column "${column}".`,
      held.length ? `There are ${held.slice(0, 20).join(', ')}.` : 'Hand over a table.',
    )
  }
  return files.map((one) => {
    if (!holders.some(({ name }) => name === one.name)) return one
    const use = (uses as Record<string, FileUse['use']>)[role] ?? (one.use === 'ignored' || one.use === 'passages' ? undefined : one.use)
    const columns: ColumnRoles = { ...one.columns, [role]: role === 'values' ? [...(one.columns.values ?? []), column] : column }
    // A column plays one part: what it played before is open again.
    for (const [other, name] of Object.entries(columns)) if (other !== role && name === column) delete columns[other as keyof ColumnRoles]
    if (role === 'tags' || role === 'entities') delete columns.values
    return { ...one, ...(use ? { use } : {}), columns, why: `"${column}" is the ${role}, as you said` }
  })
}
