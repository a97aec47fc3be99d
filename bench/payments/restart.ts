/**
 * What many payments leave behind: `npm run bench:restart [-- --payments 100000] [--json OUT]`. A gateway with its database on disk and an
 * embedded chain is paid over HTTP that often, killed with -9 at once after the last answer, and started again; then closed and started once
 * more. Told: the seconds from the start of the process until every payment is there again, and how large the folder is. The model is
 * canned words. Knows nothing of what payments cost; that is bench.ts.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { z } from 'zod'
import { openBench, PRICE } from '../../src/apps/server/bench.suite.ts'
import { startServer } from '../../src/apps/server/serve.ts'
import { isRefusal } from '../../src/core/errors.ts'
import { sign, work } from './signed.ts'

const CHUNK = 2_000
const PAYERS = 32

const Told = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('progress'), paid: z.number(), failures: z.array(z.string()) }),
  z.object({ kind: z.literal('open'), events: z.number(), earned: z.string(), unsettled: z.number() }),
])
type Told = z.infer<typeof Told>

const { values } = parseArgs({
  options: { payments: { type: 'string', default: '100000' }, json: { type: 'string' }, pay: { type: 'string' }, open: { type: 'string' } },
})
const total = Number(values.payments)
if (!Number.isSafeInteger(total) || total < 1) throw new Error(`"${values.payments}" is no count of payments; give a whole number above 0.`)
const tell = (told: Told) => process.send!(told)

if (values.pay !== undefined) await pay(values.pay)
else if (values.open !== undefined) await open(values.open)
else await measure()

/** The gateway that is killed: serves, and has itself asked and paid by another process. */
async function pay(folder: string): Promise<void> {
  const bench = await openBench({ manner: 'by load', durable: true, folder })
  const server = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: '/nowhere', report: console.error })
  if (isRefusal(server)) throw new Error(server.message)
  const payers = Array.from({ length: PAYERS }, () => privateKeyToAccount(generatePrivateKey()))
  for (const { address } of payers) {
    const funded = await bench.chain.fund(address, BigInt(total) * PRICE)
    if (isRefusal(funded)) throw new Error(funded.message)
  }
  const asking = fork(new URL('./payer.ts', import.meta.url), { execArgv: ['--import', 'tsx'] })
  const body = JSON.stringify({ model: 'heart', messages: [{ role: 'user', content: 'My chest hurts. What should I do?' }] })
  for (let paid = 0; paid < total; ) {
    const payments = await sign(bench, payers, Math.min(CHUNK, total - paid))
    const done = await work(asking, { url: `${server.url}/v1/chat/completions`, body, payments, concurrency: PAYERS })
    paid += payments.length
    tell({ kind: 'progress', paid, failures: done.failures })
  }
  await new Promise(() => setInterval(() => {}, 1_000))
}

/** The gateway that starts again: says what it finds, and closes. */
async function open(folder: string): Promise<void> {
  const bench = await openBench({ manner: 'by load', durable: true, folder })
  const [paid, { open: earned }] = [await bench.chain.queriesPaid(), await bench.chain.balance(bench.builder.address)]
  const unsettled = await bench.database.payments.inState(['reserved', 'sending', 'unknown'])
  tell({ kind: 'open', events: paid.length, earned: earned.toString(), unsettled: unsettled.length })
  await bench.close()
  process.exit(0)
}

async function sizes(folder: string): Promise<{ database: number; chain: number; all: number }> {
  const bytes = async (under: string): Promise<number> => {
    let sum = 0
    for (const entry of await readdir(under, { recursive: true, withFileTypes: true }).catch(() => []))
      if (entry.isFile())
        sum += await stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        )
    return sum
  }
  return { database: await bytes(join(folder, 'database')), chain: await bytes(join(folder, 'chain')), all: await bytes(folder) }
}

function start(mode: '--pay' | '--open', folder: string): { child: ChildProcess; until(kind: Told['kind'], enough?: (told: Told) => boolean): Promise<Told> } {
  const child = fork(fileURLToPath(import.meta.url), [mode, folder, '--payments', String(total)], { execArgv: ['--import', 'tsx'], detached: true })
  return {
    child,
    until: (kind, enough = () => true) =>
      new Promise((resolve, reject) => {
        child.on('message', (message) => {
          const told = Told.parse(message)
          if (told.kind === kind && enough(told)) resolve(told)
        })
        child.once('exit', (code) => reject(new Error(`The gateway ended with ${code}.`)))
      }),
  }
}

/** Starts the gateway once and waits until it has closed again. */
async function restart(folder: string) {
  const began = performance.now()
  const { child, until } = start('--open', folder)
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const told = await until('open')
  const seconds = (performance.now() - began) / 1000
  await ended
  if (told.kind !== 'open') throw new Error(`The gateway said ${told.kind}.`)
  return { seconds, ...told }
}

async function measure(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'modelfactory-restart-'))
  const failures: string[] = []
  try {
    const began = performance.now()
    const paying = start('--pay', folder)
    await paying.until('progress', (told) => {
      if (told.kind !== 'progress') return false
      failures.push(...told.failures)
      const seconds = (performance.now() - began) / 1000
      const left = ((total - told.paid) * seconds) / told.paid
      process.stderr.write(`\r${told.paid.toLocaleString('en')} paid, ${failures.length} failed, about ${Math.ceil(left / 60)} minutes left   `)
      return told.paid >= total
    })
    process.stderr.write('\n')
    const seconds = (performance.now() - began) / 1000
    const gone = new Promise((resolve) => paying.child.once('exit', resolve))
    process.kill(-paying.child.pid!, 'SIGKILL')
    await gone
    const left = await sizes(folder)
    const killed = await restart(folder)
    const closed = await restart(folder)
    const after = await sizes(folder)
    const expected = BigInt(total - failures.length) * PRICE
    for (const { events, earned, unsettled } of [killed, closed]) {
      if (events !== total - failures.length) failures.push(`${events} payments on chain of ${total}`)
      if (BigInt(earned) !== expected) failures.push(`${earned} earned of ${expected}`)
      if (unsettled) failures.push(`${unsettled} payments are neither settled nor released`)
    }
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
    const most = Math.max(left.all, after.all)
    const line = (met: boolean, text: string) => console.log(`${met ? 'yes' : 'NO '}  ${text}`)
    line(
      failures.length === 0,
      `${total.toLocaleString('en')} payments over HTTP in ${(seconds / 60).toFixed(1)} minutes, signing them included; ${failures.length} faults`,
    )
    line(killed.seconds < 15, `started again after kill -9 in ${killed.seconds.toFixed(1)} s, every payment there  (reach 15 s)`)
    line(closed.seconds < 15, `started again after closing in ${closed.seconds.toFixed(1)} s  (reach 15 s)`)
    line(
      most < 500e6,
      `the folder takes ${megabytes(left.all)}, then ${megabytes(after.all)}: database ${megabytes(after.database)}, chain ${megabytes(after.chain)}  (reach 500 MB)`,
    )
    if (failures.length) console.log(`the first fault: ${failures[0]}`)
    const made = {
      at: new Date().toISOString(),
      node: process.version,
      cores: availableParallelism(),
      payments: total,
      seconds,
      left,
      after,
      killed,
      closed,
      failures,
    }
    if (values.json) await writeFile(values.json, `${JSON.stringify(made, null, 2)}\n`)
    if (failures.length) process.exitCode = 1
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}
