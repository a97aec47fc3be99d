/**
 * What a payment costs in gas and in time: `npm run bench:payments [-- --quick] [--json OUT]`. A real server, database on disk, embedded
 * chain, x402 with all checks in; the model is canned words, so that what is measured is the paying. Payments are signed before.
 * Anchors and reach stand in the table. Knows nothing of models.
 */
import { fork } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { measureGas } from '../../scripts/gas.ts'
import { openBench, PRICE } from '../../src/apps/server/bench.suite.ts'
import { startServer } from '../../src/apps/server/serve.ts'
import { isRefusal } from '../../src/core/errors.ts'
import type { Manner } from '../../src/drivers/chain/settler.ts'
import { sign, work } from './signed.ts'

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, 'no-gas': { type: 'boolean', default: false } },
})
const sizes = values.quick
  ? { warming: 10, sequential: 16, load: 96, payers: 16, endurance: 160 }
  : { warming: 150, sequential: 200, load: 1_000, payers: 16, endurance: 5_000 }
const body = JSON.stringify({ model: 'heart', messages: [{ role: 'user', content: 'My chest hurts. What should I do?' }] })

type Row = { what: string; measured: string; reach: string; anchor: string; met: boolean }
const rows: Row[] = []
const raw: Record<string, unknown> = { at: new Date().toISOString(), node: process.version, cores: availableParallelism(), quick: values.quick }

if (!values['no-gas']) {
  const gas = measureGas()
  raw.gas = gas
  const row = (what: string, measured: number, most: number, anchor: string) =>
    rows.push({ what, measured: Math.round(measured).toLocaleString('en'), reach: `<= ${most.toLocaleString('en')}`, anchor, met: measured <= most })
  row(
    'gas per query, random nonce',
    gas['payWithAuthorization, random nonce']!,
    78_000,
    `plain token transfer ${gas['plain transferWithAuthorization, random nonce (anchor)']}`,
  )
  row('gas per query, sequential nonce', gas['payWithAuthorization, sequential nonce']!, 60_000, '')
  row('gas per query, payMany of 100, sequential', gas['payMany of 100, sequential nonces']! / 100, 21_000, 'a bare transfer 21,000')
}

/** Processor seconds of this data folder's anvil so far; 0 where there is no /proc. */
async function anvilSeconds(folder: string): Promise<number> {
  for (const entry of await readdir('/proc').catch(() => [])) {
    const line = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '') : ''
    if (!/anvil\0/.test(line) || !line.includes(folder) || line.includes('supervise')) continue
    const fields = (await readFile(`/proc/${entry}/stat`, 'utf8')).split(') ')[1]!.split(' ')
    return (Number(fields[11]) + Number(fields[12])) / 100
  }
  return 0
}

const median = (numbers: readonly number[]): number => [...numbers].sort((one, other) => one - other)[numbers.length >> 1] ?? Number.NaN

async function measure(manner: Manner) {
  const bench = await openBench({ manner, durable: true })
  const started = await startServer({ factory: bench.factory, host: '127.0.0.1', port: 0, studioFolder: '/nowhere', report: console.error })
  if (isRefusal(started)) throw new Error(started.message)
  const free = await startServer({
    // The same endpoint with nothing to pay.
    factory: {
      ...bench.factory,
      query: async ({ signal }) => {
        signal.throwIfAborted()
        return { kind: 'answer', headers: {}, parts: bench.behaviour.run(signal) }
      },
    },
    ...{ host: '127.0.0.1', port: 0, studioFolder: '/nowhere', report: console.error },
  })
  if (isRefusal(free)) throw new Error(free.message)
  const payer = fork(new URL('./payer.ts', import.meta.url), { execArgv: ['--import', 'tsx'] })
  const payers = Array.from({ length: sizes.payers }, () => privateKeyToAccount(generatePrivateKey()))
  for (const { address } of payers) {
    const funded = await bench.chain.fund(address, BigInt(sizes.warming + sizes.sequential + sizes.load + sizes.endurance) * PRICE)
    if (isRefusal(funded)) throw new Error(funded.message)
  }
  const url = (server: { url: string }) => `${server.url}/v1/chat/completions`
  return {
    bench,
    async run(concurrency: number, count: number) {
      const payments = await sign(bench, payers, count)
      const [cpu, anvil] = [process.cpuUsage(), await anvilSeconds(bench.folder)]
      const done = await work(payer, { url: url(started), body, payments, concurrency })
      const { user, system } = process.cpuUsage(cpu)
      return { ...done, gatewayCpuSeconds: (user + system) / 1e6, anvilCpuSeconds: (await anvilSeconds(bench.folder)) - anvil }
    },
    unpaid: (count: number) => work(payer, { url: url(free), body, payments: Array(count).fill(''), concurrency: 1 }),
    async close() {
      payer.kill()
      await started.close()
      await free.close()
      await bench.close()
    },
  }
}

type Load = Awaited<ReturnType<Awaited<ReturnType<typeof measure>>['run']>>
const split = ({ gatewayCpuSeconds, anvilCpuSeconds, cpuSeconds, milliseconds }: Load): string => {
  const each = (seconds: number) => `${((seconds * 1000) / milliseconds.length).toFixed(1)} ms`
  return `processor time a query: gateway ${each(gatewayCpuSeconds)}, chain ${each(anvilCpuSeconds)}, payer ${each(cpuSeconds)}`
}
const failures: string[] = []

for (const [manner, mode, reach, anchor] of [
  ['alone', 'A', 25, 'spike 40 without reservation and journal'],
  ['by load', 'B', 100, 'spike 554 without gateway'],
] as const) {
  const side = await measure(manner)
  try {
    // A gateway that has just started compiles its code as it goes, in whichever mode is measured first.
    await side.run(1, sizes.warming)
    await side.unpaid(sizes.warming)
    const [paid, unpaid] = [await side.run(1, sizes.sequential), await side.unpaid(sizes.sequential)]
    const added = median(paid.milliseconds) - median(unpaid.milliseconds)
    rows.push({
      what: `added latency of paying, p50, mode ${mode}`,
      measured: `${added.toFixed(1)} ms (${median(paid.milliseconds).toFixed(1)} paid, ${median(unpaid.milliseconds).toFixed(1)} unpaid)`,
      ...{ reach: '<= 40 ms', anchor: 'spike 54-151 ms', met: added <= 40 },
    })
    const load = await side.run(sizes.payers, sizes.load)
    const rate = sizes.load / load.seconds
    rows.push({
      what: `paid queries/s, mode ${mode}, ${sizes.payers} at once`,
      measured: `${rate.toFixed(1)}; ${split(load)}`,
      reach: `>= ${reach}`,
      anchor,
      met: rate >= reach,
    })
    failures.push(...paid.failures, ...unpaid.failures, ...load.failures)
    raw[`mode ${mode}`] = { sequential: paid, unpaid, load }
    if (manner === 'by load') {
      const long = await side.run(sizes.payers, sizes.endurance)
      const events = await side.bench.chain.queriesPaid()
      const expected = sizes.warming + sizes.sequential + sizes.load + sizes.endurance
      if (events.length !== expected) failures.push(`${events.length} payments on chain of ${expected}`)
      rows.push({
        what: `failures of ${sizes.endurance} queries of ${sizes.payers} payers at once`,
        ...{ measured: String(long.failures.length), reach: '0', anchor: '46 of 80 without nonce manager', met: long.failures.length === 0 },
      })
      raw.endurance = { ...long, transactions: new Set(events.map(({ tx }) => tx)).size, payments: events.length }
      failures.push(...long.failures)
    }
  } finally {
    await side.close()
  }
}

for (const { what, measured, reach, anchor, met } of rows)
  console.log(`${met ? 'yes' : 'NO '}  ${what}: ${measured}  (reach ${reach}${anchor && `; ${anchor}`})`)
if (failures.length > 0) console.log(`failures: ${failures.length}, the first: ${failures[0]}`)
if (values.json) await writeFile(values.json, `${JSON.stringify({ ...raw, rows, failures }, null, 2)}\n`)
if (failures.length > 0) process.exitCode = 1
