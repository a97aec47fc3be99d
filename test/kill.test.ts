/**
 * `kill -9` of the whole process group at random moments, first initialisation and runs of paid queries included:
 * nothing settled is missing, nothing is charged twice, the server starts by itself.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createPublicClient, http, parseAbiItem } from 'viem'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openBuyer } from '../src/apps/cli/purchase.ts'
import { isRefusal } from '../src/core/errors.ts'
import { random } from '../src/core/report.ts'
import type { StateView } from '../src/core/view.ts'
import { readConfig } from '../src/factory/config.ts'
import { dataFolder, killGroup, modelfactory, type Running, spawnServer, startServer } from './process.ts'
import { clauses } from './rows.ts'

const paidEvent = parseAbiItem(
  'event QueryPaid(bytes32 indexed modelId, address indexed payer, address indexed builder, uint256 amount, bytes32 requestHash, bytes32 nonce)',
)

describe('kill -9', () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>
  beforeAll(async () => {
    folder = await dataFolder()
  })
  /** The server running last: killed at the end, also when an expectation failed before it was stopped. */
  let last: Running | undefined
  const start = async () => {
    last = await startServer(folder.data)
    return last
  }
  afterAll(async () => {
    if (last) killGroup(last.child)
    await folder?.remove()
  })

  it('loses and doubles nothing, ten times over', { timeout: 600_000 }, async () => {
    const seed = Number(process.env.MODELFACTORY_KILL_SEED ?? Math.floor(Math.random() * 1e9))
    const next = random(seed)
    const told = `seed ${seed}`

    // Four kills during the first initialisation, at moments spread over it.
    for (let round = 0; round < 4; round++) {
      const server = spawnServer(folder.data)
      await new Promise((resolve) => setTimeout(resolve, 300 + next() * 4000))
      killGroup(server.child)
      await server.exited
    }
    const files = join(folder.data, '..', `${folder.data.split('/').at(-1)}-files`)
    await mkdir(files)
    await writeFile(join(files, 'clauses.csv'), await clauses(['Governing Law', 'Insurance'], 40))
    const first = await start()
    const built = await modelfactory(['build', 'Which kind of clause is this?', '--files', files, '--name', 'clauses', '--minutes', '0.2', '--json'], folder)
    expect(built.code, built.stderr).toBe(0)
    const published = await modelfactory(['publish', 'clauses', '--price', '0.01', '--json'], folder)
    expect(published.code, published.stderr).toBe(0)
    await first.stop()

    const answered: string[] = []
    for (let round = 0; round < 6; round++) {
      const server = await start()
      const config = readConfig({ data: folder.data })
      if (isRefusal(config)) throw new Error(config.message)
      const buy = await openBuyer(config, { url: server.url, wallet: 'payer', maximum: 10n ** 18n })
      if (isRefusal(buy)) throw new Error(buy.message)
      let running = true
      const paying = [0, 1, 2].map(async (payer) => {
        for (let number = 0; running; number++) {
          const bought = await buy('clauses', `Clause ${round}.${payer}.${number}: governed by the laws of Ohio.`).catch(() => undefined)
          if (bought && !isRefusal(bought)) answered.push(bought.shown.receipt!.tx)
        }
      })
      // Under load from the first answers on, however slow the machine is.
      const before = answered.length
      for (let waited = 0; answered.length < before + 2 && waited < 60_000; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50))
      await new Promise((resolve) => setTimeout(resolve, next() * 3000))
      await server.kill()
      running = false
      await Promise.all(paying)
    }

    const server = await start()
    const state = (await (await fetch(`${server.url}/api/state`)).json()) as StateView
    const client = createPublicClient({ transport: http(state.network.rpc) })
    const events = await client.getLogs({ address: state.contracts.router as `0x${string}`, event: paidEvent, fromBlock: 0n })
    const paid = events.reduce((sum, event) => sum + event.args.amount!, 0n)
    expect(answered.length, told).toBeGreaterThan(10)
    expect(BigInt(state.earnings.balance.atomic), told).toBe(paid)
    expect(paid, told).toBe(BigInt(events.length) * 10n ** 16n)
    // Each authorization paid at most once.
    expect(new Set(events.map((event) => `${event.args.payer}:${event.args.nonce}`)).size, told).toBe(events.length)
    // Every query answered with a receipt is on chain, and every payment on chain has its receipt.
    const onChain = new Set(events.map((event) => event.transactionHash))
    for (const tx of answered) expect(onChain.has(tx as `0x${string}`), `${told}: ${tx}`).toBe(true)
    const receipts = (await (await fetch(`${server.url}/api/receipts?limit=10000`)).json()) as { tx: string }[]
    const kept = new Set(receipts.map(({ tx }) => tx))
    for (const tx of onChain) expect(kept.has(tx!), `${told}: no receipt for ${tx}`).toBe(true)
    await server.stop()
  })
})
