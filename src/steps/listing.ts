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
  const values: NonNullable<FileListing['values']> = {}
  const empty: Record<string, number> = {}
  const length: Record<string, number> = {}
  for (const column of content.columns) {
    const counts = new Map<string, number>()
    let blank = 0
    let characters = 0
    for (const row of content.rows) {
      const value = (row[column] ?? '').trim()
      if (!value) {
        blank++
        continue
      }
      characters += value.length
      if (counts.size <= distinctLimit) counts.set(value, (counts.get(value) ?? 0) + 1)
    }
    empty[column] = blank
    length[column] = content.rows.length > blank ? Math.round((characters / (content.rows.length - blank)) * 10) / 10 : 0
    if (counts.size <= distinctLimit)
      values[column] = [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
  }
  const stride = Math.max(1, Math.floor(content.rows.length / sampleRows))
  const sample = content.rows
    .filter((_, index) => index % stride === 0)
    .slice(0, sampleRows)
    .map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, value.slice(0, cellCharacters)])))
  return { name: content.name, kind, columns: content.columns, rows: content.rows.length, sample, values, empty, length, ...note }
}
