/**
 * Content -> FileListing: what a planner gets to see of a file. A summary with a few rows, never the whole.
 * Knows nothing of what the columns mean.
 */
import type { FileListing } from '../ports/planner.ts'
import type { Content } from '../ports/reader.ts'

const sampleRows = 30
const cellCharacters = 400
const textCharacters = 4000
const distinctLimit = 200

/** Counts every row; shows the planner an even spread of them. */
export function listing(content: Content): FileListing {
  const kind = /\.([a-z0-9]{1,8})(?:#.*)?$/i.exec(content.name)?.[1]?.toLowerCase() ?? 'txt'
  const note = content.note === undefined ? {} : { note: content.note }
  if (content.kind === 'text') return { name: content.name, kind, sample: content.text.slice(0, textCharacters), ...note }
  const { columns, rows } = content
  const seen = columns.map((column) => ({ column, counts: new Map<string, number>(), blank: 0, characters: 0 }))
  const stride = Math.max(1, Math.floor(rows.length / sampleRows))
  const sample: Record<string, string>[] = []
  let index = 0
  for (const row of rows) {
    if (index++ % stride === 0 && sample.length < sampleRows)
      sample.push(Object.fromEntries(Object.entries(row).map(([column, value]) => [column, value.slice(0, cellCharacters)])))
    for (const one of seen) {
      const value = (row[one.column] ?? '').trim()
      if (!value) {
        one.blank++
        continue
      }
      one.characters += value.length
      if (one.counts.size <= distinctLimit) one.counts.set(value, (one.counts.get(value) ?? 0) + 1)
    }
  }
  const values: NonNullable<FileListing['values']> = {}
  const empty: Record<string, number> = {}
  const length: Record<string, number> = {}
  for (const { column, counts, blank, characters } of seen) {
    empty[column] = blank
    length[column] = rows.length > blank ? Math.round((characters / (rows.length - blank)) * 10) / 10 : 0
    if (counts.size <= distinctLimit)
      values[column] = [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
  }
  return { name: content.name, kind, columns, rows: rows.length, sample, values, empty, length, ...note }
}
