/**
 * Text of a CSV, TSV, JSONL or JSON file -> columns and rows: finds the delimiter, and whether the first row is a header.
 * Knows nothing of bytes, nor of what the columns mean.
 */
import { CsvError, type Options, parse } from 'csv-parse'
import { parse as parseAtOnce } from 'csv-parse/sync'
import { type Refusal, refuse } from '../../core/errors.ts'

export type Table = { columns: string[]; rows: Record<string, string>[]; note?: string | undefined }

export const limits = { columns: 200, rows: 1_000_000 }

const delimiters = [',', ';', '\t', '|'] as const

/** Any delimiter, quoted or not, with or without a header. */
export async function readDelimited(name: string, text: string): Promise<Table | Refusal> {
  const delimiter = findDelimiter(text)
  let notes: string[] = []
  let cells = await records(name, text, { delimiter })
  if ('refused' in cells && cells.code === 'table_unreadable') {
    const plain = await records(name, text, { delimiter, quote: null })
    const widths = 'refused' in plain ? new Set<number>() : new Set(plain.map((row) => row.length))
    if ('refused' in plain || widths.size !== 1) return cells
    cells = plain
    notes = ['quotation marks are part of the text']
  }
  if ('refused' in cells) return cells
  return fromCells(name, cells, notes)
}

/** Rows of cells -> a table: its width, its header, its names. */
export function fromCells(name: string, cells: readonly string[][], notes: string[] = []): Table | Refusal {
  if (!cells.length) return empty(name)
  const width = cells.reduce((most, row) => Math.max(most, row.length), 0)
  if (width > limits.columns) return tooWide(name, width)
  const header = hasHeader(cells)
  if (!header) notes.push('the first row is data, not column names')
  const head = header ? cells[0]! : []
  const named = header ? head.length : width
  const columns = columnNames(Array.from({ length: Math.max(named, width) }, (_, index) => head[index]?.trim() ?? ''))
  const body = header ? cells.slice(1) : cells
  if (!body.length)
    return refuse('no_rows', `${name} has column names (${columns.join(', ')}) but no rows.`, 'Hand over a table with at least a few dozen rows.')
  const uneven = body.filter((row) => row.length !== columns.length).length
  if (uneven) notes.push(`${uneven} rows have fewer or more cells than there are columns`)
  const rows = body.map((row) => Object.fromEntries(columns.map((column, index) => [column, row[index] ?? ''])))
  return { columns, rows, note: notes.length ? notes.join('; ') : undefined }
}

async function records(name: string, text: string, options: Options): Promise<string[][] | Refusal> {
  const rows: string[][] = []
  try {
    const parser = parse({ ...base, ...options })
    // The parser pulls from the text in slices, so a long table does not hold the process up.
    const feed = (async () => {
      for (let start = 0; start < text.length; start += 1 << 20) {
        if (parser.destroyed) return
        if (!parser.write(text.slice(start, start + (1 << 20)))) await new Promise((resolve) => parser.once('drain', resolve).once('close', resolve))
      }
      if (!parser.destroyed) parser.end()
    })()
    for await (const record of parser) {
      rows.push(record as string[])
      if (rows.length > limits.rows + 1) {
        parser.destroy()
        return tooLong(name)
      }
    }
    await feed
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = typeof error.lines === 'number' ? ` near line ${error.lines}` : ''
    return refuse(
      'table_unreadable',
      `${name} cannot be read as a table${line}: ${plain(error)}.`,
      'Open it in a spreadsheet, check that line, and export it as CSV again.',
    )
  }
  return rows
}

const base: Options = {
  bom: true,
  relax_column_count: true,
  relax_quotes: true,
  skip_empty_lines: true,
  skip_records_with_empty_values: true,
  max_record_size: 8 << 20,
}

function plain(error: CsvError): string {
  if (error.code === 'CSV_QUOTE_NOT_CLOSED') return 'a quotation mark is opened and never closed'
  if (error.code === 'CSV_MAX_RECORD_SIZE') return 'one row is longer than 8 million characters'
  return error.message.split(':')[0]!.toLowerCase()
}

/** The delimiter that cuts the first rows into the same number of cells, the more the better. */
function findDelimiter(text: string): string {
  const head = text.length > 65_536 ? text.slice(0, Math.max(text.lastIndexOf('\n', 65_536), 1)) : text
  let best: { delimiter: string; value: number } = { delimiter: ',', value: 0 }
  for (const delimiter of delimiters) {
    let rows: string[][]
    try {
      rows = parseAtOnce(head, { ...base, delimiter, to: 100 }) as string[][]
    } catch {
      rows = head
        .split(/\r?\n/)
        .slice(0, 100)
        .filter(Boolean)
        .map((line) => line.split(delimiter))
    }
    if (!rows.length) continue
    const counts = new Map<number, number>()
    for (const row of rows) counts.set(row.length, (counts.get(row.length) ?? 0) + 1)
    const [width, often] = [...counts].sort((a, b) => b[1] - a[1] || b[0] - a[0])[0]!
    if (width < 2) continue
    const agreeing = often / rows.length
    const value = agreeing * agreeing * Math.min(2 + Math.log2(width), 5)
    if (value > best.value) best = { delimiter, value }
  }
  return best.delimiter
}

/**
 * The first row names the columns unless it looks like one of the rows: a long cell, a number over a column of
 * numbers, or a value the column holds again.
 */
function hasHeader(rows: readonly string[][]): boolean {
  const [first, ...rest] = rows.slice(0, 2001)
  const names = first!.map((value) => value.trim())
  if (!rest.length) return names.every((value) => value.length < 40 && !/^[\d.,\s%-]+$/.test(value)) && names.length > 1
  if (names.every((value) => value === '')) return false
  if (names.some((value) => value.length > 80)) return false
  for (const [index, name] of names.entries()) {
    if (!name) continue
    const column = rest.map((row) => (row[index] ?? '').trim()).filter(Boolean)
    if (!column.length) continue
    if (column.includes(name)) return false
    const numbers = column.filter((value) => /^[-+]?[\d.,]+%?$/.test(value)).length
    if (numbers > column.length * 0.9 && /^[-+]?[\d.,]+%?$/.test(name)) return false
  }
  // A sentence over a column of sentences of the same make is a row, not a name.
  return !names.some((name, index) => /[.!?。؟]$/.test(name) && name.length > 25 && mean(rest.map((row) => (row[index] ?? '').length)) > 25)
}

const mean = (numbers: readonly number[]): number => (numbers.length ? numbers.reduce((sum, value) => sum + value, 0) / numbers.length : 0)

/** Every column gets a name, and no two the same. */
function columnNames(names: readonly string[]): string[] {
  const used = new Set<string>()
  return names.map((name, index) => {
    const wanted = name || `column ${index + 1}`
    let unique = wanted
    for (let count = 2; used.has(unique); count++) unique = `${wanted} (${count})`
    used.add(unique)
    return unique
  })
}

/** One JSON object a line. */
export function readJsonLines(name: string, text: string): Table | Refusal {
  const items: unknown[] = []
  let number = 0
  for (const line of lines(text)) {
    number++
    if (!line.trim()) continue
    const item = json(line)
    if (!item) return notJson(name, `line ${number} is not JSON`)
    items.push(item.value)
    if (items.length > limits.rows) return tooLong(name)
  }
  return fromItems(name, items)
}

/** An array of objects, or an object that holds one. */
export function readJson(name: string, text: string): Table | Refusal {
  const whole = json(text)
  // Files with one object a line are often called .json.
  if (!whole) return text.trim().includes('\n') && json(text.trim().split('\n', 1)[0]!) ? readJsonLines(name, text) : notJson(name, 'it is not valid JSON')
  if (Array.isArray(whole.value)) return fromItems(name, whole.value)
  if (typeof whole.value === 'object' && whole.value !== null) {
    const lists = Object.values(whole.value).filter((value): value is unknown[] => Array.isArray(value) && value.length > 0)
    if (lists.length === 1) return fromItems(name, lists[0]!)
  }
  return notJson(name, 'it is not a list of objects')
}

function fromItems(name: string, items: readonly unknown[]): Table | Refusal {
  if (!items.length) return empty(name)
  if (items.length > limits.rows) return tooLong(name)
  const columns = new Map<string, true>()
  const rows: Record<string, string>[] = []
  for (const [index, item] of items.entries()) {
    const record = typeof item === 'object' && item !== null ? item : { text: item }
    const row: [string, string][] = []
    for (const [key, value] of Object.entries(record)) {
      columns.set(key, true)
      const shown = cellText(value)
      if (shown === undefined) return notJson(name, `item ${index + 1} is nested too deeply`)
      row.push([key, shown])
    }
    if (columns.size > limits.columns) return tooWide(name, columns.size)
    rows.push(Object.fromEntries(row))
  }
  const names = [...columns.keys()]
  return { columns: names, rows: rows.map((row) => Object.fromEntries(names.map((column) => [column, Object.hasOwn(row, column) ? row[column]! : '']))) }
}

function cellText(value: unknown): string | undefined {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value.join('; ')
  try {
    return JSON.stringify(value)
  } catch {
    return undefined
  }
}

function json(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown }
  } catch {
    return undefined
  }
}

function* lines(text: string): Generator<string> {
  let start = 0
  while (start < text.length) {
    const end = text.indexOf('\n', start)
    yield text.slice(start, end < 0 ? text.length : end)
    if (end < 0) return
    start = end + 1
  }
}

const empty = (name: string): Refusal => refuse('empty_file', `${name} holds nothing.`, 'Hand over a file with content.')
const notJson = (name: string, why: string): Refusal =>
  refuse('json_unreadable', `${name} cannot be read: ${why}.`, 'Hand over one JSON object a line, or a JSON list of objects with the same keys.')
const tooWide = (name: string, count: number): Refusal =>
  refuse('too_many_columns', `${name} has ${count} columns; at most ${limits.columns} are read.`, 'Keep only the columns that matter and export it again.')
export const tooLong = (name: string): Refusal =>
  refuse('too_many_rows', `${name} has more than ${limits.rows.toLocaleString('en')} rows.`, 'Hand over a part of it: a few thousand good rows are plenty.')
