/**
 * How long a table of a million rows takes to be understood and made a dataset, how much memory that takes in the process that does it, and how long
 * this process, which answers paid questions meanwhile, is held up. `npm run bench:table [-- ROWS]`. Knows nothing of training.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { isRefusal } from '../../src/core/errors.ts'
import { offlinePlanner } from '../../src/drivers/planner/offline.ts'
import { anyFiles } from '../../src/drivers/reader/any-files.ts'
import { generator } from '../../src/engine/random.ts'
import { openMaterial } from '../../src/factory/material.ts'
import { materialApart } from '../../src/factory/material-apart.ts'

const count = Number(process.argv[2] ?? 1_000_000)
if (!Number.isInteger(count) || count < 100) throw new Error(`"${process.argv[2]}" is no number of rows: give a whole number from 100.`)
const KINDS = ['billing', 'delivery', 'return', 'account', 'complaint', 'praise', 'other', 'rare']
const WORDS = 'parcel invoice refund late broken password thanks order number address card shop street again never always please help size colour'.split(' ')

/** Twelve words and a number a row, eight kinds, the last of them one row in ten thousand. */
function tableOf(rows: number): Uint8Array {
  const next = generator(1)
  const lines = ['id,message,kind']
  for (let row = 0; row < rows; row++) {
    const text = Array.from({ length: 12 }, () => WORDS[Math.floor(next() * WORDS.length)]).join(' ')
    const kind = row % 10_000 === 1 ? 7 : Math.floor(7 * next() ** 2)
    lines.push(`${row},"${text}, ${Math.floor(next() * 1e9)}",${KINDS[kind]}`)
  }
  return new TextEncoder().encode(`${lines.join('\n')}\n`)
}

/** The most that processes below this one held at once, from the kernel; 0 where it does not tell. */
function below(): number {
  const parents = new Map<number, { parent: number; pages: number }>()
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name)))
    try {
      const [, parent] = /^\d+ \(.*\) \S (\d+)/.exec(readFileSync(`/proc/${id}/stat`, 'utf8')) ?? []
      parents.set(Number(id), { parent: Number(parent), pages: Number(readFileSync(`/proc/${id}/statm`, 'utf8').split(' ')[1]) })
    } catch {
      // A process that ended while it was looked at.
    }
  const isBelow = (id: number): boolean => {
    const parent = parents.get(id)?.parent
    return parent !== undefined && parent > 1 && (parent === process.pid || isBelow(parent))
  }
  return [...parents].reduce((sum, [id, { pages }]) => sum + (isBelow(id) ? pages : 0), 0) * 4096
}

const bytes = tableOf(count)
const material = materialApart(openMaterial({ planner: offlinePlanner(), reader: anyFiles() }), { planner: undefined })
let [memory, pause, last] = [0, 0, performance.now()]
const watch = setInterval(() => {
  const now = performance.now()
  pause = Math.max(pause, now - last - 50)
  memory = Math.max(memory, below())
  last = performance.now()
}, 50)
const started = performance.now()
last = started
const made = await material.prepare('Say what a customer’s message is about.', [{ name: 'messages.csv', bytes }])
const seconds = (performance.now() - started) / 1000
clearInterval(watch)
material.close()
if (isRefusal(made)) throw new Error(`${made.message} ${made.hint}`)
const { training, practice } = made.dataset
const megabytes = (amount: number): string => `${Math.round(amount / 1024 / 1024)} MB`
console.log(`${count} rows, ${megabytes(bytes.length)}: understood in ${seconds.toFixed(1)} s as "${made.spec.task}" of ${made.spec.labels?.length ?? 0} kinds`)
console.log(`${training.length} examples to learn from, ${practice.length} to practise on, ${made.exam.cases.length} sealed`)
console.log(`peak memory of the processes that read: ${megabytes(memory)}; longest pause of this one: ${Math.round(pause)} ms`)
