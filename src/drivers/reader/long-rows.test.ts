/** A long table is the same table, however it is cut into parts and read anew. */
import { parse } from 'csv-parse/sync'
import { describe, expect, it } from 'vitest'
import { isRefusal } from '../../core/errors.ts'
import { generator } from '../../engine/random.ts'
import { readDelimited } from './tables.ts'
import { readText } from './text-files.ts'

const ROWS = 21_500
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** A table that has all the ways in which cells are written; line ends are one kind, or mixed. */
function strange(ends: readonly string[], seed: number): string {
  const next = generator(seed)
  const pick = <Value>(values: readonly Value[]): Value => values[Math.floor(next() * values.length)]!
  const cells = [
    'plain',
    '"quoted, with a comma"',
    '"a ""word"" quoted"',
    '"two\nlines"',
    '',
    ' spaces ',
    '心 ñ 👩‍⚕️',
    '\ufeffmark',
    'half " quote',
    '"two\r\nlines"',
    '0',
  ]
  const lines = ['id,text,kind']
  for (let row = 0; row < ROWS; row++) {
    const line = [row, pick(cells), pick(cells)]
    if (next() < 0.01) line.pop()
    if (next() < 0.01) line.push('beyond')
    lines.push(line.join(','))
    if (next() < 0.01) lines.push('')
  }
  return lines.reduce((text, line, index) => (index === 0 ? line : `${text}${index === 1 ? ends[0] : pick(ends)}${line}`), '')
}

describe('rows of a long table', () => {
  it.each([
    ['\\n', ['\n']],
    ['\\r\\n', ['\r\n']],
    ['\\r', ['\r']],
    ['\\n first, \\r\\n among the others', ['\n', '\r\n']],
    ['\\r\\n first, \\n among the others', ['\r\n', '\n']],
  ])('are those that the whole of it gives, lines ending with %s', async (_, ends) => {
    const text = strange(ends, ends.length * 7 + ends[0]!.length)
    const table = await readDelimited('long.csv', text)
    if (isRefusal(table)) throw new Error(table.message)
    const whole = parse(text, {
      ...{ bom: true, relax_column_count: true, relax_quotes: true, skip_empty_lines: true, skip_records_with_empty_values: true },
    }) as string[][]
    expect(Array.isArray(table.rows)).toBe(whole.length - 1 <= 20_000)
    expect(table.rows.length).toBe(whole.length - 1)
    const named = whole.slice(1).map((cells) => Object.fromEntries(table.columns.map((column, index) => [column, cells[index] ?? ''])))
    expect([...table.rows]).toEqual(named)
    // Once more, since each going over begins anew, and only as far as somebody goes.
    for (const row of table.rows) {
      expect(row).toEqual(named[0])
      break
    }
    expect([...table.rows].at(-1)).toEqual(named.at(-1))
  })

  it('are right without a header, behind a mark of the byte order, and in an encoding that is not UTF-8', async () => {
    const lines = Array.from({ length: ROWS }, (_, row) => `café number ${row} is open;${row % 2 ? 'good' : 'bad'}`)
    const latin = Buffer.from(lines.join('\n'), 'latin1')
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(lines.join('\n'), 'utf16le')])
    const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(lines.join('\n'))])
    for (const bytes of [latin, wide, marked]) {
      const content = await readText('long.csv', bytes, 'delimited')
      if (isRefusal(content) || content.kind !== 'table') throw new Error('no table')
      const rows = [...content.rows]
      expect([rows.length, content.rows.length]).toEqual([ROWS, ROWS])
      expect([rows[0], rows[1000], rows.at(-1)]).toEqual(
        [0, 1000, ROWS - 1].map((row) => ({ 'column 1': `café number ${row} is open`, 'column 2': row % 2 ? 'good' : 'bad' })),
      )
    }
  })

  it('are refused by name when a line far below cannot be read, and when there are too many', async () => {
    const broken = `id,text\n${Array.from({ length: ROWS }, (_, row) => `${row},fine ${row}`).join('\n')}\n${ROWS},"never closed`
    const read = await readDelimited('broken.csv', broken)
    expect(isRefusal(read) ? read.message : '').not.toContain('undefined')
    const many = bytesOf(`id,text\n${'1,words\n'.repeat(1_000_002)}`)
    expect(await readDelimited('many.csv', many)).toMatchObject({ refused: true, code: 'too_many_rows' })
    expect(await readDelimited('most.csv', many.subarray(0, 8 + 8 * 1_000_000))).toMatchObject({ rows: { length: 1_000_000 } })
  })
})
