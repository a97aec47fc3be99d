/**
 * Text of a CSV, TSV, JSONL or JSON file -> columns and rows: finds the delimiter, and whether the first row is a header.
 * Knows nothing of bytes, nor of what the columns mean.
 */
import { CsvError, type Options, parse } from 'csv-parse'
import { parse as parseAtOnce } from 'csv-parse/sync'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Rows } from '../../ports/reader.ts'
import { BLOCK, longRows, rowOf } from './long-rows.ts'

export type Table = { columns: string[]; rows: Rows; note?: string | undefined }

export const limits = { columns: 200, rows: 1_000_000 }

/** Records that decide whether the first of them names the columns. */
const HEAD = 2001
/** Rows from which on a table is read from its bytes each time, and not held. */
const LONG = 20_000

const delimiters = [',', ';', '\t', '|'] as const

/** Any delimiter, quoted or not, with or without a header; `given` is text, or its bytes in UTF-8. A long table's rows are read from them each time. */
export async function readDelimited(name: string, given: string | Uint8Array): Promise<Table | Refusal> {
  const bytes = typeof given === 'string' ? Buffer.from(given) : given
  const delimiter = findDelimiter(new TextDecoder().decode(bytes.subarray(0, 4 * HEAD_CHARACTERS)))
  let notes: string[] = []
  let found = await survey(name, bytes, { delimiter })
  if ('refused' in found && found.code === 'table_unreadable') {
    const plain = await survey(name, bytes, { delimiter, quote: null })
    if ('refused' in plain || plain.widths.size !== 1) return found
    found = plain
    notes = ['quotation marks are part of the text']
  }
  if ('refused' in found) return found
  const { head, widths, records, starts, options } = found
  const form = formOf(name, head, widths, notes)
  if ('refused' in form) return form
  const { columns, header } = form
  const note = notes.length ? notes.join('; ') : undefined
  if (records <= HEAD) return { columns, rows: head.slice(Number(header)).map((cells) => rowOf(columns, cells)), note }
  const rows = longRows({ bytes, starts, records, columns, header, options })
  return { columns, rows: rows.length > LONG ? rows : [...rows], note }
}

/** Rows of cells -> a table: its width, its header, its names. */
export function fromCells(name: string, cells: readonly string[][], notes: string[] = []): Table | Refusal {
  const widths = new Map<number, number>()
  for (const row of cells) widths.set(row.length, (widths.get(row.length) ?? 0) + 1)
  const form = formOf(name, cells.slice(0, HEAD), widths, notes)
  if ('refused' in form) return form
  const { columns, header } = form
  return { columns, rows: cells.slice(Number(header)).map((row) => rowOf(columns, row)), note: notes.length ? notes.join('; ') : undefined }
}

/** The columns of a table by its first records and by how many records have how many cells. Adds to `notes` what is odd. */
function formOf(
  name: string,
  head: readonly string[][],
  widths: ReadonlyMap<number, number>,
  notes: string[],
): { columns: string[]; header: boolean } | Refusal {
  if (!head.length) return empty(name)
  const width = [...widths.keys()].reduce((most, cells) => Math.max(most, cells), 0)
  if (width > limits.columns) return tooWide(name, width)
  const header = hasHeader(head)
  if (!header) notes.push('the first row is data, not column names')
  const named = header ? head[0]! : []
  const columns = columnNames(Array.from({ length: width }, (_, index) => named[index]?.trim() ?? ''))
  const rows = [...widths.values()].reduce((sum, count) => sum + count, 0) - Number(header)
  if (!rows) return refuse('no_rows', `${name} has column names (${columns.join(', ')}) but no rows.`, 'Hand over a table with at least a few dozen rows.')
  const even = (widths.get(columns.length) ?? 0) - Number(header && head[0]!.length === columns.length)
  if (even < rows) notes.push(`${rows - even} rows have fewer or more cells than there are columns`)
  return { columns, header }
}

type Survey = { head: string[][]; widths: Map<number, number>; records: number; starts: number[]; options: Options }

/** Goes over a table once and keeps its first records, where every thousandth begins, and how many cells they have. */
async function survey(name: string, bytes: Uint8Array, wanted: Options): Promise<Survey | Refusal> {
  const options: Options = { ...base, ...wanted }
  const found: Survey = { head: [], widths: new Map(), records: 0, starts: [], options }
  let begins = 0
  const parser = parse({
    ...options,
    on_record: (record: string[], { bytes: ends }) => {
      if (found.records % BLOCK === 0) found.starts.push(begins)
      if (found.records === 0) options.record_delimiter = lineEnd(bytes, ends)
      if (found.head.length < HEAD) found.head.push(record)
      found.widths.set(record.length, (found.widths.get(record.length) ?? 0) + 1)
      found.records++
      begins = ends
      // Nothing goes on from here: what is wanted was seen.
      return null
    },
  })
  parser.resume()
  try {
    const ended = new Promise<void>((resolve, reject) => parser.once('end', resolve).once('error', reject))
    ended.catch(() => {})
    // In slices, with a breath between, so that a long table does not hold the process up.
    for (let start = 0; start < bytes.length && !parser.destroyed; start += 1 << 20) {
      if (!parser.write(bytes.subarray(start, start + (1 << 20)))) await Promise.race([new Promise((resolve) => parser.once('drain', resolve)), ended])
      if (found.records > limits.rows + 1) {
        parser.destroy()
        return tooLong(name)
      }
    }
    if (!parser.destroyed) parser.end()
    await ended
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    const line = typeof error.lines === 'number' ? ` near line ${error.lines}` : ''
    return refuse(
      'table_unreadable',
      `${name} cannot be read as a table${line}: ${plain(error)}.`,
      'Open it in a spreadsheet, check that line, and export it as CSV again.',
    )
  }
  return found.records > limits.rows + 1 ? tooLong(name) : found
}

/** What ends the first record ends all: a part of the table read by itself must be cut in the same places. */
function lineEnd(bytes: Uint8Array, ends: number): string[] {
  const last = bytes[ends - 1]
  if (last === 0x0a) return [bytes[ends - 2] === 0x0d ? '\r\n' : '\n']
  return last === 0x0d ? ['\r'] : ['\n', '\r\n']
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

/** Characters by which the delimiter is found. */
const HEAD_CHARACTERS = 65_536

/** The delimiter that cuts the first rows into the same number of cells, the more the better. */
function findDelimiter(text: string): string {
  const head = text.length > HEAD_CHARACTERS ? text.slice(0, Math.max(text.lastIndexOf('\n', HEAD_CHARACTERS), 1)) : text
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
