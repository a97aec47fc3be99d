/** Small real tables for tests, cut from the examples. Knows nothing of what is done with them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { root } from './process.ts'

/** A CSV of `count` clauses of each of the labels, from the contracts example. */
export async function clauses(labels: readonly string[], count: number): Promise<string> {
  const rows = parse(await readFile(join(root, 'examples', 'contracts', 'files', 'clauses.csv'), 'utf8'), { columns: true }) as {
    clause: string
    label: string
  }[]
  const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`
  const chosen = labels.flatMap((label) => rows.filter((row) => row.label === label).slice(0, count))
  return `clause,label\n${chosen.map((row) => `${quoted(row.clause)},${quoted(row.label)}`).join('\n')}\n`
}
