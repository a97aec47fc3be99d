/**
 * Run: npm run bench:quality -- [--tasks DIR] [--only NAME]... [--seeds N] [--budget MINUTES] [--quick] [--json OUT] [--page FILE]: measures the
 * cells that are missing, keeps each as soon as it is there, prints the table, and writes the page (docs/benchmark.md, unless --json names
 * another file). What is in the JSON file is not measured again. With --challenger FOLDER and one --only NAME an entry of somebody else is measured
 * in place of our arms, and the last line is one JSON object.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { isRefusal } from '../../src/core/errors.ts'
import { challengerCell, readEntry } from './challenger.ts'
import { engineeredCell, quotedFigures } from './engineered.ts'
import { writePage } from './page.ts'
import { askedOf, type Place, placeName, placesOf, Results, thisMachine } from './results.ts'
import { challengerLines, challengerRows, tableLines } from './table.ts'
import { readTask, type Task, taskNames } from './task.ts'
import { vibeCell } from './vibe.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
/** Three tasks of three trades: medicine, building, and a language that models know little of. All in the repository. */
const QUICK = ['medqa_pubmedqa', 'structural_building_regs_part', 'topic_sib200_swh']
const BUDGET_MINUTES = 5
/** Three builds of this, with starting and fitting, stay within 20 minutes. */
const QUICK_BUDGET_MINUTES = 4

try {
  await main()
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...{ tasks: { type: 'string', default: here('../tasks') }, only: { type: 'string', multiple: true }, seeds: { type: 'string' } },
      ...{ budget: { type: 'string' }, quick: { type: 'boolean', default: false }, json: { type: 'string' }, page: { type: 'string' } },
      challenger: { type: 'string' },
    },
  })
  if (!existsSync(values.tasks)) throw new Error(`There is no folder ${values.tasks}: --tasks names the folder of the tasks.`)
  const seeds = Number(values.seeds ?? (values.quick ? 1 : 3))
  if (!Number.isInteger(seeds) || seeds < 1) throw new Error(`--seeds is "${values.seeds}": give a whole number from 1.`)
  const budgetMinutes = Number(values.budget ?? (values.quick ? QUICK_BUDGET_MINUTES : BUDGET_MINUTES))
  if (!(budgetMinutes > 0)) throw new Error(`--budget is "${values.budget}": give minutes above 0.`)
  const names = chosen(values.tasks, values.only ?? (values.quick ? QUICK : undefined))
  const results = new Results(values.json ?? here('./results/results.json'))
  const page = values.page ?? (values.json === undefined ? here('../../docs/benchmark.md') : undefined)

  const tasks = new Map<string, Task>()
  const refused: Refused[] = []
  for (const name of names) {
    const task = await readTask(values.tasks, name)
    if (isRefusal(task)) {
      refused.push({ task: name, code: task.code, message: task.message })
      console.log(`${name}: not examined. ${task.message} ${task.hint} (${task.code})`)
      continue
    }
    tasks.set(task.name, task)
    results.ask(task.name, askedOf(task, quotedFigures(join(values.tasks, name), task.name)))
    for (const line of task.inferred) console.log(`${task.name}: there is no task.json; inferred ${line}.`)
    for (const { code, text } of task.flags) console.log(`${task.name}: ${text} (${code})`)
  }
  if (values.challenger !== undefined) {
    await enter(results, { tasks: [...tasks.values()], refused, folder: values.challenger, minutes: budgetMinutes })
    if (page !== undefined && process.exitCode === undefined) writePage(page, results.all)
    return
  }
  const plan = { tasks: [...tasks.keys()], seeds: Array.from({ length: seeds }, (_, index) => index + 1), budgetMinutes, refused }
  results.plan(plan)

  for (const place of placesOf(plan, results.all.tasks)) {
    if (results.find(place)) continue
    console.log(`${placeName(place)}:`)
    // One cell that breaks stays missing, and must not keep the others from being measured.
    const cell = await measure(tasks.get(place.task)!, place).catch((error: unknown) => {
      console.error(`  broke: ${error instanceof Error ? error.message : String(error)}`)
      process.exitCode = 1
    })
    if (!cell) continue
    results.add(cell)
    console.log(`  ${cell.refused ? `refused: ${cell.refused.message}` : 'measured'} in ${cell.minutes.toFixed(1)} minutes`)
  }
  console.log(['', ...tableLines(results.all)].join('\n'))
  if (page === undefined) return
  writePage(page, results.all)
  console.log(`\nWritten: ${page}`)
}

type Refused = { task: string; code: string; message: string }

/** Measures an entry on one task, unless the same files were measured on the same cases before. */
async function enter(
  results: Results,
  { tasks, refused, folder, minutes }: { tasks: Task[]; refused: Refused[]; folder: string; minutes: number },
): Promise<void> {
  const [task, more] = tasks
  const entry = readEntry(folder)
  const wrong = isRefusal(entry)
    ? entry
    : (refused[0] ?? (task && !more ? undefined : { code: 'one_task', message: 'A challenger enters one task at a time: name it by --only.' }))
  if (isRefusal(entry) || wrong || !task) {
    process.exitCode = 1
    console.log(JSON.stringify({ error: { code: wrong?.code, message: wrong?.message, hint: isRefusal(entry) ? entry.hint : '' } }))
    return
  }
  const place = { task: task.name, dataId: task.dataId, arm: 'challenger', seed: 0, budgetMinutes: null, package: entry.id } as const
  if (!results.find(place))
    results.add({ ...place, date: new Date().toISOString(), machine: thisMachine(), base: null, ...(await challengerCell(entry, task, minutes)) })
  const row = challengerRows(results.all).find(({ cell }) => cell.package === entry.id && cell.task === task.name)!
  console.log(challengerLines(results.all).find((line) => line.includes(entry.id.slice(0, 18)) && line.includes(` on ${task.name}:`)))
  console.log(
    JSON.stringify({
      task: task.name,
      challenger: entry.name,
      package: entry.id,
      metric: task.description.metric,
      score: row.score,
      refused: row.cell.refused,
      against: row.against,
    }),
  )
}

async function measure(task: Task, place: Place): Promise<Parameters<Results['add']>[0]> {
  const kept = { ...place, date: new Date().toISOString(), machine: thisMachine() }
  if (place.arm === 'engineered') return { ...kept, refused: null, package: null, base: null, ...(await engineeredCell(task)) }
  const measured = await vibeCell(task, { seed: place.seed, budgetMinutes: place.budgetMinutes!, tell: (line) => console.log(`  ${line.slice(0, 200)}`) })
  return { ...kept, ...measured }
}

/** The tasks that were asked for, in the folder's order. @throws {Error} naming one that is not there. */
function chosen(folder: string, only: readonly string[] | undefined): string[] {
  const all = taskNames(folder)
  if (!all.length) throw new Error(`There are no tasks in ${folder}: a task is a folder with train.jsonl.gz and test.jsonl.gz.`)
  if (!only) return all
  const unknown = only.find((name) => !all.includes(name))
  if (unknown !== undefined) throw new Error(`There is no task "${unknown}" in ${folder}: there are ${all.join(', ')}.`)
  return all.filter((name) => only.includes(name))
}
