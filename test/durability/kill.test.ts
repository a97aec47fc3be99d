/**
 * Kills a paying process with SIGKILL, process group and all, at random moments, first initialisation included, and counts the
 * money afterwards.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { settledKeys } from '../../src/drivers/chain/settler.ts'
import { openFolder, price } from './paying.ts'

const program = join(import.meta.dirname, 'paying.ts')
let running: ChildProcess | undefined
afterAll(() => kill(running))

function kill(child: ChildProcess | undefined): void {
  if (child?.pid !== undefined && child.exitCode === null && child.signalCode === null) process.kill(-child.pid, 'SIGKILL')
}

/** Runs the program and kills it some time after it was started, or after it said `open`. Returns what it said. */
async function life(folder: string, moment: { after: 'start' | 'open'; milliseconds: number }): Promise<string> {
  const child = spawn(process.execPath, ['--import', 'tsx', program, 'pay', folder], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  running = child
  let said = ''
  let complaint = ''
  const ended = new Promise<string | null>((resolve) => child.once('exit', (_, signal) => resolve(signal)))
  const opened = new Promise<void>((resolve) => {
    child.stdout!.on('data', (data) => {
      said += data
      if (said.includes('open\n')) resolve()
    })
  })
  child.stderr!.on('data', (data) => {
    complaint += data
  })
  if (moment.after === 'open') await Promise.race([opened, ended])
  await Promise.race([sleep(moment.milliseconds), ended])
  kill(child)
  expect(await ended, `it ended by itself: ${complaint}`).toBe('SIGKILL')
  return said
}

/** Processes that name this folder on their command line. */
async function left(folder: string): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    if (line.includes(folder)) found.push(line.replaceAll('\0', ' '))
  }
  return found
}

it('loses no payment, takes none twice and starts again by itself', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'modelfactory-test-kill-'))
  const acknowledged = new Set<string>()
  const random = (least: number, most: number) => least + Math.random() * (most - least)
  const moments = [
    { after: 'start', milliseconds: random(300, 2_500) },
    { after: 'start', milliseconds: random(2_000, 5_000) },
    { after: 'open', milliseconds: random(0, 100) },
    { after: 'open', milliseconds: random(100, 1_000) },
    { after: 'start', milliseconds: random(800, 2_500) },
    { after: 'open', milliseconds: random(500, 2_000) },
  ] as const
  for (const moment of moments) {
    const said = await life(folder, moment)
    for (const [, nonce] of said.matchAll(/^settled (0x[0-9a-f]{64})$/gm)) acknowledged.add(nonce!)
  }
  expect(acknowledged.size).toBeGreaterThan(0)

  const { database, chain, payer, payout, modelId } = await openFolder(folder)
  try {
    const events = await chain.queriesPaid({ modelId })
    const payments = await database.payments.inState(['reserved', 'sending', 'settled', 'released', 'unknown'])
    const settled = payments.filter(({ state }) => state === 'settled')
    const builder = (await chain.balance(payout.address)).open
    const nonces = new Set<string>(events.map(({ nonce }) => nonce))
    console.log(`${events.length} payments over ${moments.length} kills, ${acknowledged.size} of them acknowledged`)

    // Every event is one payment at the price; together they are what the builder has.
    expect(nonces.size).toBe(events.length)
    expect(events.every(({ amount }) => amount === price)).toBe(true)
    expect(builder).toBe(BigInt(events.length) * price)
    expect(settled.length).toBe(events.length)
    // What was given to the payer and is gone, the builder has.
    expect(((await chain.balance(payer.address)).open + builder) % (10_000n * price)).toBe(0n)
    // No payment that was acknowledged is missing; none is known by another transaction than the chain's.
    for (const nonce of acknowledged) expect(nonces.has(nonce)).toBe(true)
    const transactions = new Map<string, string>(events.map(({ payer: from, nonce, tx }) => [`${from}:${nonce}`.toLowerCase(), tx]))
    for (const { key, tx } of settled) expect(tx).toBe(transactions.get(key))
    expect(payments.filter(({ state }) => state !== 'settled' && state !== 'released')).toEqual([])

    const journal = await database.journal.all()
    expect(journal.filter(({ status }) => status === null)).toEqual([])
    expect(journal.map(({ block }) => block).sort((one, other) => one! - other!)).toEqual(journal.map((_, index) => index + 1))
    // Payments go one by one and together.
    expect(journal.flatMap(({ purpose, status }) => (status === 'success' ? settledKeys(purpose) : [])).sort()).toEqual([...transactions.keys()].sort())
  } finally {
    await chain.close()
    await database.close()
  }
  await sleep(300)
  if (process.platform === 'linux') expect(await left(folder)).toEqual([])
})
