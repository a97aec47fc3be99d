/**
 * Spreadsheets (XLSX, ODS) -> one table a sheet, formulas as the values they had when it was saved, dates as ISO 8601.
 * Knows nothing of what the columns mean.
 */
import { posix } from 'node:path'
import { isRefusal, type Refusal, refuse } from '../../core/errors.ts'
import type { Content } from '../../ports/reader.ts'
import type { Archive } from './archive.ts'
import { fromCells, limits, tooLong } from './tables.ts'
import { parseXml } from './xml.ts'

type Sheet = { name: string; rows: string[][]; notes: string[] }

/** Rows repeated to the end of the sheet are only formatting; so are columns. */
const mostRepeated = 1000

/** An Office Open XML workbook. */
export async function readXlsx(name: string, archive: Archive): Promise<Content[] | Refusal> {
  const sheets: { name: string; id: string }[] = []
  let since1904 = false
  const book = await parse(name, archive, 'xl/workbook.xml', {
    open(element, attributes) {
      if (element === 'sheet') sheets.push({ name: attributes.name ?? '', id: attribute(attributes, 'id') ?? '' })
      else if (element === 'workbookPr') since1904 = ['1', 'true'].includes(attributes.date1904 ?? '')
    },
  })
  if (book) return book
  const targets = new Map<string, string>()
  const relations = await parse(name, archive, 'xl/_rels/workbook.xml.rels', {
    open(element, attributes) {
      const target = attributes.Target ?? ''
      if (element === 'Relationship') targets.set(attributes.Id ?? '', target.startsWith('/') ? target.slice(1) : posix.normalize(`xl/${target}`))
    },
  })
  if (relations) return relations
  const strings = await sharedStrings(name, archive)
  if (isRefusal(strings)) return strings
  const dates = await dateStyles(name, archive)
  if (isRefusal(dates)) return dates
  const read: Sheet[] = []
  for (const { name: title, id } of sheets) {
    const path = targets.get(id)
    if (!path || !archive.names.includes(path) || !/worksheets\//.test(path)) continue
    const sheet = await readSheet(name, archive, path, title, { strings, dates, since1904 })
    if (isRefusal(sheet)) return sheet
    read.push(sheet)
  }
  return tablesOf(name, read, archive)
}

type Meaning = { strings: readonly string[]; dates: ReadonlySet<number>; since1904: boolean }

async function readSheet(name: string, archive: Archive, path: string, title: string, meaning: Meaning): Promise<Sheet | Refusal> {
  const rows: string[][] = []
  let row: string[] = []
  let column = 0
  let type = 'n'
  let style = 0
  let collecting = false
  let value = ''
  let stored = false
  let formula = false
  let uncomputed = 0
  let furthest = 0
  const refused = await parse(name, archive, path, {
    open(element, attributes) {
      if (element === 'row') {
        row = []
        column = 0
      } else if (element === 'c') {
        const letters = /^[A-Z]{1,3}/.exec(attributes.r ?? '')?.[0]
        column = letters ? [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) : column + 1
        type = attributes.t ?? 'n'
        style = Number(attributes.s ?? 0)
        value = ''
        stored = false
        formula = false
      } else if (element === 'v' || element === 't') {
        collecting = true
        stored = true
      } else if (element === 'rPh') type = 'phonetic'
      else if (element === 'f') formula = true
    },
    text(text) {
      if (collecting && type !== 'phonetic') value += text
    },
    close(element) {
      if (element === 'v' || element === 't') collecting = false
      else if (element === 'rPh') type = 'inlineStr'
      else if (element === 'c') {
        if (formula && !stored) uncomputed++
        const shown = cell(type, value, style, meaning)
        if (!shown.trim()) return
        furthest = Math.max(furthest, column)
        if (column <= limits.columns) row[column - 1] = shown
      } else if (element === 'row' && row.length && rows.length <= limits.rows) rows.push(Array.from(row, (shown) => shown ?? ''))
    },
  })
  if (refused) return refused
  if (furthest > limits.columns) return tooWide(name, title, furthest)
  const notes = uncomputed ? [`${uncomputed} formulas hold no value until it is opened and saved in a spreadsheet program`] : []
  return { name: title, rows, notes }
}

function cell(type: string, value: string, style: number, { strings, dates, since1904 }: Meaning): string {
  if (type === 's') return strings[Number(value)] ?? ''
  if (type === 'b') return value === '1' ? 'TRUE' : 'FALSE'
  if (type === 'e') return ''
  if (type !== 'n' || value === '') return value
  const number = Number(value)
  if (!Number.isFinite(number)) return value
  return dates.has(style) ? isoDate(number, since1904) : String(number)
}

/** Days since the workbook's first day -> ISO 8601; times of day alone stay without a date. */
function isoDate(days: number, since1904: boolean): string {
  const start = since1904 ? Date.UTC(1904, 0, 1) : Date.UTC(1899, 11, 30)
  const moment = new Date(start + Math.round(days * 86_400) * 1000)
  if (Number.isNaN(moment.getTime())) return String(days)
  const text = moment.toISOString()
  if (days >= 0 && days < 1) return text.slice(11, 19)
  return Number.isInteger(days) ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 19)}`
}

async function sharedStrings(name: string, archive: Archive): Promise<string[] | Refusal> {
  const strings: string[] = []
  let open = false
  let phonetic = false
  let text = ''
  const path = archive.names.find((candidate) => candidate.toLowerCase() === 'xl/sharedstrings.xml')
  if (!path) return strings
  const refused = await parse(name, archive, path, {
    open(element) {
      if (element === 'si') text = ''
      else if (element === 't') open = true
      else if (element === 'rPh') phonetic = true
    },
    text(said) {
      if (open && !phonetic) text += said
    },
    close(element) {
      if (element === 'si') strings.push(text)
      else if (element === 't') open = false
      else if (element === 'rPh') phonetic = false
    },
  })
  return refused ?? strings
}

/** The cell styles that show a number as a date: the built-in ones (ECMA-376, 18.8.30) and those whose own code has days or hours. */
async function dateStyles(name: string, archive: Archive): Promise<Set<number> | Refusal> {
  const dates = new Set<number>()
  if (!archive.names.includes('xl/styles.xml')) return dates
  const formats = new Set<number>([14, 15, 16, 17, 18, 19, 20, 21, 22, 27, 30, 36, 45, 46, 47, 50, 57])
  let inCells = false
  let index = 0
  const refused = await parse(name, archive, 'xl/styles.xml', {
    open(element, attributes) {
      if (element === 'numFmt') {
        const code = (attributes.formatCode ?? '').replace(/"[^"]*"|\\.|\[(?![hms]+\])[^\]]*\]/gi, '')
        if (/[dmyhs]/i.test(code) && !/general/i.test(code)) formats.add(Number(attributes.numFmtId))
        else formats.delete(Number(attributes.numFmtId))
      } else if (element === 'cellXfs') inCells = true
      else if (element === 'xf' && inCells) {
        if (formats.has(Number(attributes.numFmtId))) dates.add(index)
        index++
      }
    },
    close(element) {
      if (element === 'cellXfs') inCells = false
    },
  })
  return refused ?? dates
}

/** An OpenDocument spreadsheet. */
export async function readOds(name: string, archive: Archive): Promise<Content[] | Refusal> {
  const sheets: Sheet[] = []
  let row: string[] = []
  let rowTimes = 1
  let cellTimes = 1
  let attributes: Record<string, string> = {}
  let lines: string[] = []
  let inCell = false
  let paragraph = false
  let note = 0
  let wide: { sheet: string; columns: number } | undefined
  const refused = await parse(name, archive, 'content.xml', {
    open(element, found) {
      if (element === 'table' && !inCell) sheets.push({ name: attribute(found, 'name') ?? '', rows: [], notes: [] })
      else if (element === 'table-row') {
        row = []
        rowTimes = Number(attribute(found, 'number-rows-repeated') ?? 1)
      } else if (element === 'table-cell' || element === 'covered-table-cell') {
        cellTimes = Number(attribute(found, 'number-columns-repeated') ?? 1)
        attributes = found
        lines = []
        inCell = true
      } else if (element === 'annotation') note++
      else if (element === 'p' && inCell && !note) {
        lines.push('')
        paragraph = true
      } else if (paragraph && (element === 's' || element === 'tab')) lines[lines.length - 1] += ' '
      else if (paragraph && element === 'line-break') lines[lines.length - 1] += '\n'
    },
    text(text) {
      if (paragraph && !note && lines.length) lines[lines.length - 1] += text
    },
    close(element) {
      const sheet = sheets.at(-1)
      if (element === 'annotation') note--
      else if (element === 'p') paragraph = false
      else if (element === 'table-cell' || element === 'covered-table-cell') {
        inCell = false
        const shown = odsCell(attributes, lines)
        const times = Math.min(Number.isFinite(cellTimes) ? Math.max(cellTimes, 1) : 1, limits.columns + 1)
        if (row.length <= limits.columns) for (let time = 0; time < times; time++) row.push(shown)
      } else if (element === 'table-row' && sheet) {
        while (row.length && !row.at(-1)!.trim()) row.pop()
        if (row.length > limits.columns) wide ??= { sheet: sheet.name, columns: row.length }
        const times = Number.isFinite(rowTimes) ? Math.min(Math.max(rowTimes, 1), mostRepeated) : 1
        if (row.length && sheet.rows.length <= limits.rows) for (let time = 0; time < times; time++) sheet.rows.push(row)
      }
    },
  })
  if (refused) return refused
  return wide ? tooWide(name, wide.sheet, wide.columns) : tablesOf(name, sheets, archive)
}

function odsCell(attributes: Record<string, string>, lines: readonly string[]): string {
  const type = attribute(attributes, 'value-type')
  if (type === 'float' || type === 'percentage' || type === 'currency') return attribute(attributes, 'value') ?? lines.join('\n')
  if (type === 'date') return (attribute(attributes, 'date-value') ?? lines.join('\n')).replace(/T00:00:00$/, '').replace('T', ' ')
  return lines.join('\n')
}

/** Sheets with rows become tables; the only one keeps the file's name. */
function tablesOf(name: string, sheets: readonly Sheet[], archive: Archive): Content[] | Refusal {
  const filled = sheets.filter((sheet) => sheet.rows.length > 1)
  if (!filled.length) return refuse('empty_file', `${name} holds no sheet with rows.`, 'Hand over a table with column names and at least a few dozen rows.')
  const contents: Content[] = []
  for (const sheet of filled) {
    const called = filled.length === 1 ? name : `${name}#${sheet.name}`
    if (sheet.rows.length > limits.rows) return tooLong(called)
    const { rows, left } = withoutTitle(sheet.rows)
    const notes = [...sheet.notes]
    if (left) notes.push(`${left} ${left === 1 ? 'line' : 'lines'} above the table left out`)
    const table = fromCells(called, withoutEmptyColumns(rows), notes)
    if (isRefusal(table)) {
      if (table.code === 'no_rows' && filled.length > 1) continue
      return table
    }
    contents.push({ kind: 'table', name: called, columns: table.columns, rows: table.rows, ...(table.note ? { note: table.note } : {}) })
  }
  if (!contents.length) return refuse('empty_file', `${name} holds no sheet with rows.`, 'Hand over a table with column names and at least a few dozen rows.')
  const first = contents[0]!
  const notes: string[] = []
  const empty = sheets.filter((sheet) => !contents.some((content) => content.name === name || content.name === `${name}#${sheet.name}`))
  if (empty.length) notes.push(`${empty.length} ${empty.length === 1 ? 'sheet' : 'sheets'} without rows left out`)
  if (archive.names.some((path) => /vbaProject\.bin$|^Basic\//.test(path))) notes.push('its macros were not run and are ignored')
  if (notes.length) first.note = [first.note, ...notes].filter(Boolean).join('; ')
  return contents
}

function withoutEmptyColumns(rows: readonly string[][]): string[][] {
  const used = new Set<number>()
  for (const row of rows) for (const [index, shown] of row.entries()) if (shown.trim()) used.add(index)
  const order = [...used].sort((a, b) => a - b)
  return rows.map((row) => order.map((index) => row[index] ?? ''))
}

/** A title over a table stands alone in its row. */
function withoutTitle(rows: readonly string[][]): { rows: string[][]; left: number } {
  const filled = (row: readonly string[]): number => row.filter((shown) => shown.trim()).length
  const wide = rows.filter((row) => filled(row) > 1).length > rows.length / 2
  let left = 0
  while (wide && left < 10 && left < rows.length - 2 && filled(rows[left]!) <= 1) left++
  return { rows: rows.slice(left), left }
}

/** The value of an attribute whatever its prefix. */
const attribute = (attributes: Record<string, string>, name: string): string | undefined =>
  attributes[name] ?? Object.entries(attributes).find(([key]) => key.endsWith(`:${name}`))?.[1]

async function parse(name: string, archive: Archive, path: string, handlers: Parameters<typeof parseXml>[3]): Promise<Refusal | undefined> {
  if (!archive.names.includes(path))
    return refuse('document_damaged', `${name} lacks its part "${path}".`, 'Open it in the program that made it, save it again, and hand that over.')
  const bytes = await archive.read(path)
  return isRefusal(bytes) ? bytes : parseXml(name, path, bytes, handlers)
}

const tooWide = (name: string, sheet: string, columns: number): Refusal =>
  refuse(
    'too_many_columns',
    `The sheet "${sheet}" of ${name} has ${columns} columns; at most ${limits.columns} are read.`,
    'Keep only the columns that matter and hand it over again.',
  )
