/**
 * Chaos: `npx tsx scripts/chaos.ts [--faults 200] [--seed N] [--log]`. Payers pay without end while gateway and chain are killed, the
 * chain's saved state is torn, its node breaks, lies and forgets, and blocks are reorganised away. Afterwards the money is counted to the
 * last unit. `--log` adds the summary to docs/log.md. The gateway's side is the program in `test/durability/paying.ts`, which settles as
 * the gateway does; half of the faults fall on the embedded chain, half on an external one.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts'
import { isRefusal } from '../src/core/errors.ts'
import { hashText } from '../src/core/id.ts'
import type { Address, Hex } from '../src/core/listing.ts'
import { random } from '../src/core/report.ts'
import { type Outside, outside } from '../src/drivers/chain/external.suite.ts'
import { faultyNode, nodeFaults } from '../src/drivers/chain/faulty-node.suite.ts'
import { authorize } from '../src/ports/chain.suite.ts'
import type { Authorization, Chain } from '../src/ports/chain.ts'
import { openFolder, price } from '../test/durability/paying.ts'
import { repository } from './forge.ts'

export type Chaos = {
  seed: number
  faults: Record<string, number>
  acknowledged: number
  payments: number
  /** Sentences on what does not add up; empty when all does. */
  wrong: string[]
  seconds: number
}

const program = join(repository, 'test/durability/paying.ts')

/** Runs so many faults and counts the money. */
export async function chaos(options: { faults: number; seed: number; say?: (line: string) => void }): Promise<Chaos> {
  const { seed, say = () => {} } = options
  const next = random(seed)
  const result: Chaos = { seed, faults: {}, acknowledged: 0, payments: 0, wrong: [], seconds: 0 }
  const began = Date.now()
  const here = Math.floor(options.faults / 2)
  await onEmbedded(here, next, result, say)
  await onExternal(options.faults - here, next, result, say)
  result.seconds = Math.round((Date.now() - began) / 1000)
  return result
}

function count(result: Chaos, fault: string): void {
  result.faults[fault] = (result.faults[fault] ?? 0) + 1
}

/** Three payers in a process of their own; it, anvil and the saved state are struck, and it starts again by itself. */
async function onEmbedded(faults: number, next: () => number, result: Chaos, say: (line: string) => void): Promise<void> {
  if (faults === 0) return
  const folder = await mkdtemp(join(tmpdir(), 'modelfactory-chaos-'))
  const acknowledged = new Set<string>()
  let child: ChildProcess | undefined
  let opened: Promise<unknown> = Promise.resolve()
  const start = () => {
    const started = spawn(process.execPath, ['--import', 'tsx', program, 'pay', folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
      cwd: repository,
    })
    let said = ''
    opened = new Promise<void>((resolve) => {
      started.once('exit', () => resolve())
      started.stdout!.on('data', (data: Buffer) => {
        said += data.toString()
        if (said.includes('open\n')) resolve()
        for (const [, nonce] of said.matchAll(/^settled (0x[0-9a-f]{64})$/gm)) acknowledged.add(nonce!)
        said = said.slice(Math.max(0, said.lastIndexOf('\n')))
      })
    })
    child = started
  }
  const kill = async () => {
    const dying = child!
    const gone = dying.exitCode !== null || dying.signalCode !== null ? Promise.resolve() : new Promise((resolve) => dying.once('exit', resolve))
    if (dying.exitCode === null && dying.signalCode === null) process.kill(-dying.pid!, 'SIGKILL')
    await gone
  }
  try {
    start()
    for (let fault = 0; fault < faults; fault++) {
      await opened
      await sleep(next() * 400)
      const kinds =
        process.platform === 'linux' ? ['gateway killed', 'gateway killed while it starts', 'state torn', 'anvil killed'] : ['gateway killed', 'state torn']
      const kind = kinds[Math.floor(next() * kinds.length)]!
      count(result, kind)
      if (kind === 'anvil killed') {
        await killAnvil(folder)
        continue
      }
      await kill()
      if (kind === 'state torn') await tear(join(folder, 'chain'), next)
      start()
      if (kind === 'gateway killed while it starts') {
        await sleep(next() * 3_000)
        await kill()
        start()
      }
    }
    await opened
    await sleep(500)
    await kill()
    const { database, chain, payer, payout, modelId } = await openFolder(folder)
    try {
      const events = await chain.queriesPaid({ modelId })
      const [held, earned] = [(await chain.balance(payer.address)).open, (await chain.balance(payout.address)).open]
      const states = await database.payments.inState(['reserved', 'sending', 'unknown'])
      reckon(result, 'embedded', { events, earned, held, given: 10_000n * price, acknowledged })
      if (states.length > 0) result.wrong.push(`embedded: ${states.length} payments are neither settled nor released`)
    } finally {
      await chain.close()
      await database.close()
    }
    say(`embedded: ${acknowledged.size} payments acknowledged over ${faults} faults`)
  } finally {
    await kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Payers in this process, against a node that misbehaves, forgets, and takes back up to three blocks. */
async function onExternal(faults: number, next: () => number, result: Chaos, say: (line: string) => void): Promise<void> {
  if (faults === 0) return
  const world = await outside()
  const node = await faultyNode(() => world.anvil.url)
  const open = () =>
    world.open({
      rpc: node.url,
      relayers: 3,
      confirmations: 4,
      requestMilliseconds: 1_000,
      patience: { receiptMilliseconds: 3_000, resendMilliseconds: 1_000, pollMilliseconds: 20 },
    })
  let chain = await open()
  let paying: Promise<unknown>[] = []
  let running = true
  try {
    const payer = privateKeyToAccount(generatePrivateKey())
    const payout = privateKeyToAccount(generatePrivateKey()).address
    const registered = await chain.register({ owner: await world.keystore.account('owner'), slug: 'hearts', payout, price })
    if (isRefusal(registered)) throw new Error(registered.message)
    await world.fund(payer.address, 10_000n * price)
    for (let block = 0; block < 5; block++) await world.node('evm_mine')

    const { modelId } = registered
    const journal = new Map<string, Authorization>()
    let acknowledged = 0
    const settle = (authorization: Authorization) =>
      chain.settle({ modelId, requestHash: hashText(authorization.nonce), authorization }).catch(() => ({ status: 'unknown' as const, message: 'it threw' }))
    const pay = async (): Promise<void> => {
      while (running) {
        const authorization = await authorize(chain, payer, payout)
        journal.set(authorization.nonce, authorization)
        for (;;) {
          const settlement = await settle(authorization)
          if (settlement.status === 'settled') acknowledged++
          if (settlement.status === 'refused') result.wrong.push(`external: a good payment was refused: ${settlement.code}, ${settlement.message}`)
          if (settlement.status !== 'unknown' || !running) break
          await sleep(100)
        }
        await sleep(30)
      }
    }
    paying = [pay(), pay(), pay()]
    for (let fault = 0; fault < faults; fault++) {
      await sleep(100 + next() * 300)
      const kind = next() < 0.15 ? 'reorganisation' : next() < 0.1 ? 'gateway restarted' : nodeFaults[Math.floor(next() * nodeFaults.length)]!
      if (kind === 'reorganisation') {
        const depth = 1 + Math.floor(next() * 3)
        count(result, `reorganisation of ${depth}`)
        await world.node('anvil_reorg', [depth, []]).catch(() => {})
        await world.node('evm_mine')
      } else if (kind === 'gateway restarted') {
        count(result, kind)
        await chain.close()
        // Whoever runs a gateway starts it again when it does not start; the node breaks a few calls in a row at most.
        for (let attempt = 0; ; attempt++) {
          const opened = await open().catch((fault: unknown) => {
            if (attempt === 5) throw fault
          })
          if (!opened) continue
          chain = opened
          break
        }
      } else {
        count(result, `node ${kind}`)
        let left = 1 + Math.floor(next() * 4)
        node.fault = () => (left-- > 0 ? kind : undefined)
      }
    }
    node.fault = () => undefined
    running = false
    await Promise.all(paying)
    await lookAfter(world, () => chain, [...journal.values()], settle)
    const events = await chain.queriesPaid({ modelId })
    const [held, earned] = [(await chain.balance(payer.address)).open, (await chain.balance(payout)).open]
    reckon(result, 'external', { events, earned, held, given: 10_000n * price, acknowledged: journal })
    say(`external: ${acknowledged} payments acknowledged over ${faults} faults`)
  } finally {
    // Also when something above threw: payers that nobody stops would hide it by paying on.
    running = false
    await Promise.allSettled(paying)
    await chain.close()
    await node.close()
    await world.close()
  }
}

/** What the gateway does after the trouble: asks, sends again, until every payment is final. */
async function lookAfter(world: Outside, chain: () => Chain, all: Authorization[], settle: (authorization: Authorization) => Promise<unknown>): Promise<void> {
  for (let round = 0; round < 60; round++) {
    for (let block = 0; block < 5; block++) await world.node('evm_mine')
    await sleep(250)
    let open = 0
    for (const authorization of all) {
      const settlement = await chain().settlement(authorization)
      if (settlement?.status === 'settled' && settlement.final) continue
      open++
      if (settlement?.status !== 'settled') await settle(authorization)
    }
    if (open === 0) return
  }
}

type Books = {
  events: readonly { nonce: Hex; amount: bigint; payer: Address }[]
  earned: bigint
  held: bigint
  given: bigint
  acknowledged: { size: number } & Iterable<unknown> & { has(nonce: string): boolean; keys(): Iterable<string> }
}

/** Each payment once, none missing, every unit accounted for. */
function reckon(result: Chaos, where: string, { events, earned, held, given, acknowledged }: Books): void {
  const nonces = new Set<string>(events.map(({ nonce }) => nonce))
  const paid = events.reduce((sum, { amount }) => sum + amount, 0n)
  if (nonces.size !== events.length) result.wrong.push(`${where}: ${events.length - nonces.size} payments were made twice`)
  if (paid !== BigInt(events.length) * price) result.wrong.push(`${where}: payments are not all of the price`)
  if (earned !== paid) result.wrong.push(`${where}: the builder holds ${earned}, and was paid ${paid}`)
  if ((held + earned) % given !== 0n || held + earned === 0n)
    result.wrong.push(`${where}: ${held + earned} units are there of those given, in steps of ${given}`)
  const missing = [...acknowledged.keys()].filter((nonce) => !nonces.has(nonce))
  if (missing.length > 0) result.wrong.push(`${where}: ${missing.length} acknowledged payments are missing`)
  result.payments += events.length
  result.acknowledged += acknowledged.size
}

async function killAnvil(folder: string): Promise<void> {
  for (const entry of await readdir('/proc')) {
    const line = /^\d+$/.test(entry) ? await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '') : ''
    if (/anvil\0/.test(line) && line.includes(join(folder, 'chain', 'genesis.json')) && !line.includes('supervise')) process.kill(Number(entry), 'SIGKILL')
  }
}

/** Cuts the newest saved state somewhere, as a full disk or a power cut would. */
async function tear(folder: string, next: () => number): Promise<void> {
  const states = (await readdir(folder).catch(() => [])).filter((name) => /^state\.\d+\.json$/.test(name)).sort()
  const newest = states.at(-1)
  if (newest) await truncate(join(folder, newest), Math.floor(next() * 20_000))
}

/** One line for the log. */
export function summary({ seed, faults, acknowledged, payments, wrong, seconds }: Chaos): string {
  const kinds = Object.entries(faults)
    .sort()
    .map(([kind, times]) => `${kind} ${times}`)
    .join(', ')
  const total = Object.values(faults).reduce((sum, times) => sum + times, 0)
  return `${total} faults, seed ${seed}, ${seconds} s (${kinds}): ${payments} payments on chain, ${acknowledged} made or acknowledged; ${wrong.length === 0 ? 'none twice, none lost, every unit accounted for' : wrong.join('; ')}.`
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({ options: { faults: { type: 'string', default: '200' }, seed: { type: 'string' }, log: { type: 'boolean', default: false } } })
  const outcome = await chaos({ faults: Number(values.faults), seed: Number(values.seed ?? Math.floor(Math.random() * 1e9)), say: (line) => console.log(line) })
  console.log(summary(outcome))
  if (values.log) {
    const path = join(repository, 'docs/log.md')
    const log = await readFile(path, 'utf8')
    const command = `npx tsx scripts/chaos.ts --faults ${values.faults} --seed ${outcome.seed}`
    const entry = `## ${new Date().toISOString().slice(0, 10)}: chaos\n\n\`${command}\`: ${summary(outcome)}\n\n`
    // Newest first.
    await writeFile(
      path,
      log.replace(/^## /m, () => `${entry}## `),
    )
  }
  if (outcome.wrong.length > 0) process.exitCode = 1
}
