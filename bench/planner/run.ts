/**
 * npm run bench:planner -- --set FILE.jsonl [--planner offline|llm] [--json OUT]: scores a planner on descriptions with known expectations.
 * A planner sees the words and the listing of the files (name, kind, columns, rows, note), straight from each row. The scores are defined in score.ts.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { isRefusal } from '../../src/core/errors.ts'
import { llmPlanner } from '../../src/drivers/planner/llm.ts'
import { offlinePlanner } from '../../src/drivers/planner/offline.ts'
import { readConfig } from '../../src/factory/config.ts'
import type { Planner } from '../../src/ports/planner.ts'
import { type Field, fields, Row, type Scored, scoreRow, summarise } from './score.ts'

function stop(sentence: string): never {
  console.error(sentence)
  process.exit(2)
}

const { values } = parseArgs({
  options: { set: { type: 'string' }, planner: { type: 'string', default: 'offline' }, json: { type: 'string' }, only: { type: 'string' } },
})
if (!values.set) stop('No set was named: add --set FILE.jsonl, for example --set bench/planner/own.jsonl.')

async function choosePlanner(name: string): Promise<Planner> {
  if (name === 'offline') return offlinePlanner()
  if (name === 'llm') {
    const config = readConfig()
    if (isRefusal(config)) return stop(`${config.message} ${config.hint}`)
    if (!config.planner)
      return stop(
        'No language model is configured: set MODELFACTORY_PLANNER_URL and MODELFACTORY_PLANNER_MODEL (and MODELFACTORY_PLANNER_KEY), or use --planner offline.',
      )
    return llmPlanner(config.planner)
  }
  return stop(`There is no planner "${name}": use --planner offline or --planner llm.`)
}

function readRows(path: string): Row[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    return stop(`The set "${path}" cannot be read: give the path of a JSON Lines file.`)
  }
  return text.split('\n').flatMap((line, index) => {
    if (!line.trim()) return []
    let value: unknown
    try {
      value = JSON.parse(line)
    } catch {
      return stop(`Line ${index + 1} of "${path}" is not JSON.`)
    }
    const row = Row.safeParse(value)
    if (!row.success) return stop(`Line ${index + 1} of "${path}" is not a row: ${row.error.issues[0]!.path.join('.')} ${row.error.issues[0]!.message}.`)
    return [row.data]
  })
}

const percent = (value: number): string => (Number.isNaN(value) ? '   -' : `${(value * 100).toFixed(1)}`.padStart(5))
const show = (value: unknown): string => JSON.stringify(value)

const planner = await choosePlanner(values.planner)
const rows = readRows(values.set).filter((row) => !values.only || values.only.split(',').includes(row.id))
const scored: Scored[] = []
const refused: string[] = []
for (const row of rows) {
  const spec = await planner.plan({ words: row.text, files: row.files })
  if (isRefusal(spec)) {
    refused.push(row.id)
    console.log(`${row.id}: refused: ${spec.message}`)
    continue
  }
  const result = scoreRow(row, spec)
  scored.push(result)
  const misses = fields.filter((field) => (result.scores[field] ?? 1) < 1)
  if (!misses.length) continue
  console.log(`${row.id}  ${row.text.replace(/\s+/g, ' ').slice(0, 110)}`)
  for (const field of misses) {
    const part = result.scores[field]! > 0 ? ` (${result.scores[field]!.toFixed(2)})` : ''
    console.log(`    ${field}${part}: expected ${show(row.expect[field])}, planned ${show(result.predicted[field])}`)
  }
}
// A refusal answers nothing: it counts as 0 in every field.
for (const id of refused) {
  const row = rows.find((one) => one.id === id)!
  const named = fields.filter((field) => row.expect[field] !== undefined)
  const empty = Object.fromEntries(named.map((field) => [field, 0])) as Partial<Record<Field, number>>
  scored.push({ id, scores: empty, stated: named, falseDecline: row.expect.decline === null, predicted: {} as Scored['predicted'] })
}

const summary = summarise(scored)
console.log(`\n${planner.name} planner, ${values.set}: ${summary.rows} rows\n`)
console.log('field                 all   where something is said (rows)')
for (const field of fields) {
  const line = summary.byField[field]
  if (line) console.log(`${field.padEnd(20)}${percent(line.mean)}  ${percent(line.stated)} (${line.count})`)
}
console.log(`\nmean field score    ${percent(summary.mean)}  ${percent(summary.stated)}`)
console.log(`false declines: ${summary.falseDeclines.length ? summary.falseDeclines.join(', ') : 'none'}`)
if (values.json) writeFileSync(values.json, `${JSON.stringify({ planner: planner.name, set: values.set, summary, rows: scored }, null, 1)}\n`)
