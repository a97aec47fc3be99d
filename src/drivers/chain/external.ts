/**
 * A chain that others run, by its RPC address: a test network, OpenLedger, a node of your own. Its blocks may be reorganised, its
 * node may be slow, lie or forget, and its gas costs real money. Knows nothing of how the node is run.
 */
import { createPublicClient, http, type Log, type PublicClient } from 'viem'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Hex } from '../../core/listing.ts'
import type { Chain, Network } from '../../ports/chain.ts'
import type { Database, Journal } from '../../ports/database.ts'
import type { Keystore } from '../../ports/keystore.ts'
import { refuseKnownKeys } from '../keystore/keystore.ts'
import { deployments, missing } from './deploy.ts'
import { evmChain } from './evm.ts'
import { paidHistory } from './history.ts'
import { networkWriter, type Patience } from './network-writer.ts'
import { type Manner, settledKeys } from './settler.ts'
import { shortMessage } from './writer.ts'

export type ExternalOptions = {
  rpc: string
  chainId: number
  journal: Journal
  keystore: Keystore
  settings: Database['settings']
  /** Accounts that pay gas, `relayer-1` and up of the keystore. */
  relayers?: number | undefined
  /** Blocks on top of a payment's own before it is final. */
  confirmations?: number | undefined
  /** The chain's first block with an event of ours, where it is known. */
  firstBlock?: number
  manner?: Manner
  patience?: Partial<Patience>
  requestMilliseconds?: number
}

/** A relayer may have this many transactions waiting to be mined: more would all wait for the first. */
const IN_FLIGHT = 4
/** Long enough for a reorganisation as deep as rollups have had, short enough to wait for. */
const CONFIRMATIONS = 12
const patiently: Patience = { receiptMilliseconds: 45_000, resendMilliseconds: 20_000, pollMilliseconds: 250 }
const CONFIRM_MS = 2_000
/** A chain with fewer blocks than this is read from its beginning. */
const SHORT_CHAIN = 50_000

/** Opens the chain, refusing a node of another chain, one without the contracts, and relayers whose keys everybody knows. */
export async function openExternalChain(options: ExternalOptions): Promise<Chain | Refusal> {
  const { rpc, chainId, journal, keystore, settings, confirmations = CONFIRMATIONS } = options
  const transport = http(rpc, { timeout: options.requestMilliseconds ?? 10_000, retryCount: 0 })
  const client: PublicClient = createPublicClient({ transport, cacheTime: 0 })
  let head: number
  try {
    const found = await client.getChainId()
    if (found !== chainId)
      return refuse('wrong_chain', `The node answers for chain ${found}, but MODELFACTORY_CHAIN_ID is ${chainId}.`, 'Correct one of the two.')
    const absent = await missing(client)
    if (absent.length > 0)
      return refuse('contracts_missing', `Chain ${chainId} does not have ${absent.join(', ')} yet.`, 'Deploy them: npx tsx scripts/deploy.ts --rpc URL.')
    head = Number(await client.getBlockNumber())
  } catch (error) {
    return refuse('chain_unreachable', `The chain at MODELFACTORY_RPC_URL does not answer: ${shortMessage(error)}.`, 'Check the address and start again.')
  }
  const { contracts } = deployments()
  const network: Network = { chainId, caip2: `eip155:${chainId}`, test: false, currency: 'OPEN', rpc: publicAddress(rpc) }
  const relayers = await Promise.all(Array.from({ length: options.relayers ?? 1 }, (_, place) => keystore.account(`relayer-${place + 1}`)))
  for (const { address } of relayers) {
    const known = refuseKnownKeys(address, network)
    if (known) return known
  }
  const from = await firstBlock(options, head)
  let finalBlock = Math.max(await journal.paidUntil(), from - 1)

  const pending = new Map<string, Hex>()
  /** Logs of our own final transactions that are not in the history yet. */
  let unkept: Log[] = []
  const writer = networkWriter({
    client,
    journal,
    chainId,
    fees: () => client.estimateFeesPerGas(),
    accounts: relayers,
    patience: { ...patiently, ...options.patience },
    confirmations,
    onReopened({ hash, purpose }) {
      for (const key of settledKeys(purpose)) pending.set(key, hash)
    },
    onFinal: (logs) => unkept.push(...logs),
  })
  await writer.reconcile([...(await journal.unmined()), ...(await journal.all({ afterBlock: head - 2 * confirmations - 1 }))])
  const history = paidHistory({ client, journal, router: contracts.router, from })

  let closed = false
  const confirm = async (): Promise<void> => {
    const block = await writer.confirm()
    // A node that repeats an older answer takes nothing back that was final.
    const final = Math.max(finalBlock, block)
    await history.advance(final, unkept)
    unkept = unkept.filter(({ blockNumber }) => Number(blockNumber) > final)
    finalBlock = final
  }
  // What went wrong is asked again in two seconds; what the node said meanwhile is not called final.
  await confirm().catch(() => {})
  let confirming: Promise<void> = Promise.resolve()
  const timer = setInterval(
    () => {
      confirming = confirming.then(() => (closed ? undefined : confirm())).catch(() => {})
    },
    Math.min(CONFIRM_MS, 4 * (options.patience?.pollMilliseconds ?? CONFIRM_MS)),
  )
  timer.unref()

  return evmChain({
    client,
    writer,
    journal,
    network,
    contracts,
    relayers,
    inFlight: IN_FLIGHT,
    manner: options.manner ?? 'by load',
    history,
    pending,
    finalBlock: () => finalBlock,
    prepare: async () => {},
    keep: async () => {},
    fund: async () => refuse('no_faucet', `Chain ${chainId} has no faucet here: its money is real.`, 'Send OPEN to the address from a wallet that holds some.'),
    async close() {
      closed = true
      clearInterval(timer)
      writer.stop()
      await confirming
    },
  })

  /** Kept at the first start: what happened before is not of this data folder, unless the chain is short enough to read whole. */
  async function firstBlock({ firstBlock: known }: ExternalOptions, latest: number): Promise<number> {
    if (known !== undefined) return known
    const key = `chain-${chainId}-first-block`
    const standing = await settings.get(key)
    if (typeof standing === 'number') return standing
    const first = latest < SHORT_CHAIN ? 0 : latest
    await settings.set(key, first)
    return first
  }
}

/** The address without what may be a key: credentials, path and query stay here. */
function publicAddress(rpc: string): string {
  return new URL(rpc).origin
}
