/**
 * The embedded chain: anvil, whose memory is rebuilt from the journal at every start. The journal in the database is the
 * truth; anvil and the snapshots are only its present form. Its money is test OPEN, which a faucet of its own gives away.
 */
import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPublicClient, encodeFunctionData, http, type PublicClient } from 'viem'
import { z } from 'zod'
import { BaseError, refuse } from '../../core/errors.ts'
import { formatOpen } from '../../core/royalty.ts'
import type { Chain, Network } from '../../ports/chain.ts'
import type { Database, Journal } from '../../ports/database.ts'
import type { Account, Keystore } from '../../ports/keystore.ts'
import { writeDurably } from '../files/durable.ts'
import { startAnvil } from './anvil.ts'
import { wrappedOpen } from './contracts.generated.ts'
import { deployContracts, deployments } from './deploy.ts'
import { evmChain } from './evm.ts'
import { paidHistory } from './history.ts'
import { adopt, type Rebuilt, rebuild, rpc } from './replay.ts'
import { openGuard } from './rpc-guard.ts'
import type { Manner } from './settler.ts'
import { forgetful, saveSnapshot } from './snapshot.ts'
import { serialWriter } from './writer.ts'

const chainId = 31337
const settingsKey = 'embedded-chain'
/** Mined transactions between two snapshots: what a start after a kill replays at most, at some milliseconds each ... */
const snapshotInterval = 250
/** ... and their events. A payment leaves three, and takes about a millisecond to replay. */
const snapshotEvents = 9_000
/** Blocks whose transactions anvil keeps; older ones are in the journal, and their events in the database. */
const blocksKept = 4 * snapshotInterval
/** Fixed, so that the same journal always makes the same blocks. The base fee starts at 1 gwei and falls. */
const fees = { maxFeePerGas: 10_000_000_000n, maxPriorityFeePerGas: 0n }
/** How often others' blocks are looked for; a kill loses at most what they did in this time. */
const adoptionMilliseconds = 1_000
const gasMoney = 10n ** 18n

const address = z.custom<`0x${string}`>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]{40}$/.test(value))
/** What the chain began with, written once per data folder: another genesis would be another chain. */
const Beginning = z.object({
  timestamp: z.number().int(),
  relayer: address,
  faucet: address,
  /** The contracts this chain was given. A newer program keeps using them, since its models are registered there. */
  contracts: z.object({ token: address, registry: address, router: address }).optional(),
})
type Beginning = z.infer<typeof Beginning>

/**
 * Starts anvil, replays the journal, sends what was journaled and never mined, and deploys the contracts when they are missing.
 * @throws {EmbeddedError} when the keys are not those the chain began with, or the journal does not replay.
 */
export async function openEmbeddedChain(options: {
  folder: string
  journal: Journal
  keystore: Keystore
  settings: Database['settings']
  manner?: Manner
}): Promise<Chain> {
  const { folder, journal, keystore, settings } = options
  const [relayer, faucet] = [await keystore.account('chain-relayer'), await keystore.account('chain-faucet')]
  await mkdir(folder, { recursive: true })
  const beginning = await begin(settings, relayer, faucet)
  const genesis = join(folder, 'genesis.json')
  await writeDurably(genesis, JSON.stringify(genesisOf(beginning)))
  const host = privateAddress()
  const run = async (port?: number) => {
    // Events that are not kept yet are read from anvil, so until there are kept ones it must hold all of them.
    const keep = (await journal.paidUntil()) < 0 && (await journal.all()).length > 0 ? 'present' : blocksKept
    const start = () => startAnvil({ genesis, timestamp: beginning.timestamp, chainId, cache: join(folder, 'cache'), host, port, keep })
    return rebuild({ start, folder, journal })
  }

  const first = await run()
  try {
    return await assemble({ ...options, first, run, beginning, relayer, faucet })
  } catch (error) {
    await first.anvil.close()
    throw error
  }
}

type Parts = Parameters<typeof openEmbeddedChain>[0] & {
  first: Rebuilt
  run: (port: number) => Promise<Rebuilt>
  beginning: Beginning
  relayer: Account
  faucet: Account
}

async function assemble({ folder, journal, settings, manner = 'by load', first, run, beginning, relayer, faucet }: Parts): Promise<Chain> {
  let { anvil, sequence: lastSnapshot } = first
  const client: PublicClient = createPublicClient({ transport: http(anvil.url, { timeout: 20_000, retryCount: 0 }), pollingInterval: 50, cacheTime: 0 })
  let lastBlock = Number(await client.getBlockNumber())
  let sinceSnapshot = first.replayed
  let eventsSinceSnapshot = 0

  const { contracts: deployed } = deployments()
  const history = paidHistory({ client, journal, router: (beginning.contracts ?? deployed).router, from: 0 })

  const snapshot = async (): Promise<void> => {
    await history.advance(lastBlock)
    const tail = await journal.all({ afterSequence: lastSnapshot })
    const last = tail.at(-1)
    // While the outcome of one is unknown, no state can be said to hold exactly the journal up to some transaction.
    if (!last || tail.some(({ status }) => status === null)) return
    const [dump, block] = [await rpc<string>(anvil.url, 'anvil_dumpState', []), await client.getBlock()]
    const state = await forgetful(dump, blocksKept)
    await saveSnapshot(folder, { sequence: last.sequence, transaction: last.hash, block: Number(block.number), blockHash: block.hash, state })
    lastSnapshot = last.sequence
    await journal.tidy()
  }

  /** Wallets and scripts that use the RPC address themselves make blocks too: they are part of this chain. Runs alone. */
  const adoptUntil = async (block?: number): Promise<void> => {
    const until = block ?? Number(await client.getBlockNumber())
    if (until <= lastBlock) return
    await adopt({ client, journal, from: lastBlock + 1, to: until })
    lastBlock = until
  }

  const writer = serialWriter({
    client,
    journal,
    chainId,
    fees: async () => fees,
    beforeSend: async () => {
      const now = Math.floor(Date.now() / 1000)
      try {
        await rpc(anvil.url, 'evm_setNextBlockTimestamp', [now])
      } catch {
        // This machine's clock went back; time on the chain does not.
        const { timestamp } = await client.getBlock()
        await rpc(anvil.url, 'evm_setNextBlockTimestamp', [Math.max(now, Number(timestamp))])
      }
    },
    afterMined: async ({ block, logs }) => {
      // Neither this nor a snapshot may spoil the payment that was just mined.
      await adoptUntil(block - 1).catch(() => {})
      lastBlock = block
      sinceSnapshot++
      eventsSinceSnapshot += logs.length
      if (sinceSnapshot < snapshotInterval && eventsSinceSnapshot < snapshotEvents) return
      sinceSnapshot = eventsSinceSnapshot = 0
      await snapshot().catch(() => {})
    },
    deadlineMilliseconds: 20_000,
    pollMilliseconds: 2,
  })

  /** After a replay the chain's clock shows the last block's time, and what was journaled and never mined is still to be sent. */
  const catchUp = async (): Promise<void> => {
    await rpc(anvil.url, 'evm_setTime', [Math.floor(Date.now() / 1000)])
    lastBlock = Number(await client.getBlockNumber())
    await writer.reconcile(await journal.unmined())
  }
  await catchUp()
  const contracts = beginning.contracts ?? (await deployContracts(client, writer, faucet))
  if (!beginning.contracts) await settings.set(settingsKey, { ...beginning, contracts })

  await history.advance(lastBlock)
  const guard = await openGuard(anvil.url)
  const network: Network = { chainId, caip2: `eip155:${chainId}`, test: true, currency: 'test OPEN', rpc: guard.url }
  const transfer = async (to: `0x${string}`, value: bigint) => writer.send({ from: faucet, to, data: '0x', value, gas: 21_000n, purpose: 'gas' })
  let closing: Promise<void> | undefined

  // Anvil can die by itself, of memory for example. What it was is in the journal, so another takes its place and its port.
  const watch = (): void => {
    anvil.ended.then(async () => {
      for (let attempt = 0; attempt < 5 && closing === undefined; attempt++) {
        try {
          const again = await writer.exclusively(() => run(Number(new URL(client.transport.url as string).port)))
          anvil = again.anvil
          lastSnapshot = again.sequence
          watch()
          await catchUp()
          return
        } catch {
          await sleep(1_000)
        }
      }
    })
  }
  watch()
  const adopting = setInterval(() => writer.exclusively(adoptUntil).catch(() => {}), adoptionMilliseconds)
  adopting.unref()

  return evmChain({
    client,
    writer,
    journal,
    network,
    contracts,
    relayers: [relayer],
    // Each transaction has a block of its own, so what comes meanwhile goes together in the next.
    inFlight: 1,
    manner,
    history,
    pending: new Map(),
    finalBlock: () => lastBlock,
    async prepare(account) {
      if ((await client.getBalance({ address: account.address })) < gasMoney / 10n) await transfer(account.address, gasMoney)
    },
    keep: () => writer.exclusively(adoptUntil),
    async fund(to, amount) {
      const held = await client.getBalance({ address: faucet.address })
      if (amount <= 0n || amount > held / 2n)
        return refuse('amount_out_of_range', `${formatOpen(amount)} test OPEN is not above 0 and at most ${formatOpen(held / 2n)}.`, 'Ask for another amount.')
      const token = { from: faucet, to: contracts.token, gas: 200_000n, purpose: 'fund' }
      const deposit = await writer.send({ ...token, data: encodeFunctionData({ abi: wrappedOpen.abi, functionName: 'deposit' }), value: amount })
      const given =
        deposit.status === 'success'
          ? await writer.send({ ...token, data: encodeFunctionData({ abi: wrappedOpen.abi, functionName: 'transfer', args: [to, amount] }) })
          : deposit
      if (given.status !== 'success')
        return refuse(
          'faucet_failed',
          `The faucet did not give ${formatOpen(amount)} test OPEN to ${to} (${given.status}).`,
          'Look at the balance, then try again.',
        )
      if ((await client.getBalance({ address: to })) < gasMoney / 10n) await transfer(to, gasMoney)
      return { tx: given.hash }
    },
    close() {
      closing ??= writer
        .exclusively(async () => {
          clearInterval(adopting)
          await adoptUntil()
          await snapshot()
        })
        // A snapshot saves time at the next start and nothing else; anvil may be dead already.
        .catch(() => {})
        .then(() => Promise.all([anvil.close(), guard.close()]))
        .then(() => {})
      return closing
    },
  })
}

/** Where anvil itself listens: on Linux an address of this machine that no web page can guess, since anvil asks nobody who they are. */
function privateAddress(): string {
  if (process.platform !== 'linux') return '127.0.0.1'
  const [one, two, three] = randomBytes(3)
  return `127.${one}.${two}.${Math.max(2, Math.min(254, three!))}`
}

async function begin(settings: Database['settings'], relayer: Account, faucet: Account): Promise<Beginning> {
  const standing = await settings.get(settingsKey)
  if (standing === undefined) {
    const beginning: Beginning = { timestamp: Math.floor(Date.now() / 1000) - 1, relayer: relayer.address, faucet: faucet.address }
    await settings.set(settingsKey, beginning)
    return beginning
  }
  const parsed = Beginning.safeParse(standing)
  if (!parsed.success) throw new EmbeddedError('The record of how the embedded chain began is damaged. Restore the database from a copy.')
  if (parsed.data.relayer !== relayer.address || parsed.data.faucet !== faucet.address)
    throw new EmbeddedError(
      'The keys of this data folder are not those its embedded chain began with. Restore the keys folder, or start with a new data folder.',
    )
  return parsed.data
}

function genesisOf({ timestamp, relayer, faucet }: Beginning): object {
  const hex = (value: bigint | number) => `0x${value.toString(16)}`
  return {
    config: { chainId },
    timestamp: hex(timestamp),
    gasLimit: hex(30_000_000),
    difficulty: '0x0',
    alloc: { [relayer]: { balance: hex(2n ** 96n) }, [faucet]: { balance: hex(2n ** 120n) } },
  }
}

/** The embedded chain cannot be rebuilt from this data folder. */
export class EmbeddedError extends BaseError {
  override readonly name = 'Chain.EmbeddedError'
}
