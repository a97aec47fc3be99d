/**
 * Writer of a chain that is ours alone: it gives out nonces, journals every transaction before it is sent, and waits for its
 * receipt, with a deadline of its own, before it sends the next. Knows nothing of what a transaction means.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { keccak256, type Log, type PublicClient, BaseError as ViemError } from 'viem'
import type { Address, Hex } from '../../core/listing.ts'
import type { Journal, JournaledTransaction } from '../../ports/database.ts'
import type { Account } from '../../ports/keystore.ts'
import { localAccount } from '../keystore/keystore.ts'

export type Transaction = { from: Account; to: Address; data: Hex; value?: bigint; gas: bigint; purpose: string }

export type Mined = { status: 'success' | 'reverted'; hash: Hex; block: number; logs: Log[] }

export type Outcome =
  | Mined
  /** Sent, or perhaps sent; the journal keeps it and it may still be mined. */
  | { status: 'unknown'; hash: Hex; message: string }
  /** The node refused it for good; it is out of the journal. */
  | { status: 'rejected'; message: string }

export type WriterOptions = {
  client: PublicClient
  journal: Journal
  chainId: number
  fees: () => Promise<{ maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }>
  /** Runs right before a transaction is sent, with nothing else being sent. */
  beforeSend?: () => Promise<void>
  /** Runs after a transaction was mined and journaled as such, before the next is sent. */
  afterMined?: (mined: Mined) => Promise<void>
  deadlineMilliseconds: number
  pollMilliseconds: number
}

export interface Writer {
  /** Signs, journals, sends and waits. @throws only while nothing is sent. */
  send(transaction: Transaction): Promise<Outcome>
  /** Waits for a transaction sent earlier. */
  settled(hash: Hex): Promise<Outcome>
  /** Sends again what was journaled and has no receipt: a process was killed between the two. */
  reconcile(transactions: readonly JournaledTransaction[]): Promise<void>
}

/** The writer of the embedded chain: each transaction has a block of its own. */
export function serialWriter(options: WriterOptions): Writer & { exclusively<Result>(work: () => Promise<Result>): Promise<Result> } {
  const { client, journal } = options
  const nextNonces = new Map<Address, number>()
  let queue: Promise<unknown> = Promise.resolve()

  /** Runs `work` alone: nothing is sent meanwhile. */
  const exclusively = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = queue.then(() => work())
    queue = result.catch(() => {})
    return result
  }

  const receipt = async (hash: Hex): Promise<Outcome | undefined> => {
    const found = await client.request({ method: 'eth_getTransactionReceipt', params: [hash] })
    if (!found?.blockNumber) return undefined
    // Nodes of today put the time beside each event, which saves asking for the block.
    const timed = (found.logs[0] as { blockTimestamp?: Hex } | undefined)?.blockTimestamp
    const timestamp = timed ?? (await client.getBlock({ blockNumber: BigInt(found.blockNumber) })).timestamp
    const status = BigInt(found.status) === 1n ? 'success' : 'reverted'
    const block = Number(found.blockNumber)
    await journal.mined(hash, { block, timestamp: Number(timestamp), status })
    return { status, hash, block, logs: found.logs as unknown as Log[] }
  }

  /** Polls for the receipt until the deadline. viem's own waiting has been seen to hang, hence this. */
  const settled = async (hash: Hex): Promise<Outcome> => {
    const deadline = Date.now() + options.deadlineMilliseconds
    let trouble = 'no receipt yet'
    for (let delay = options.pollMilliseconds; ; delay = Math.min(delay * 1.5, 2_000)) {
      try {
        const outcome = await receipt(hash)
        if (outcome) return outcome
      } catch (error) {
        trouble = shortMessage(error)
      }
      if (Date.now() > deadline) return { status: 'unknown', hash, message: `Transaction ${hash} has no known outcome yet: ${trouble}.` }
      await sleep(delay)
    }
  }

  const minedNext = async (hash: Hex): Promise<Outcome> => {
    const outcome = await settled(hash)
    if (outcome.status === 'success' || outcome.status === 'reverted') await options.afterMined?.(outcome)
    return outcome
  }

  const broadcast = async (raw: Hex, hash: Hex): Promise<Outcome | undefined> => {
    try {
      await options.beforeSend?.()
      await client.request({ method: 'eth_sendRawTransaction', params: [raw] })
      return undefined
    } catch (error) {
      if (!isRejection(error)) return { status: 'unknown', hash, message: `Transaction ${hash} may not have reached the chain: ${shortMessage(error)}.` }
      // The node may be refusing a repetition of what it already took.
      const standing = await receipt(hash).catch(() => undefined)
      if (standing || /already (known|imported)/i.test(shortMessage(error))) return standing
      await journal.discard(hash)
      return { status: 'rejected', message: shortMessage(error) }
    }
  }

  const send = (transaction: Transaction): Promise<Outcome> =>
    exclusively(async () => {
      const known = nextNonces.has(transaction.from.address)
      const outcome = await sendNext(transaction)
      if (outcome.status === 'success' || outcome.status === 'reverted') return outcome
      // Somebody else used this key, or a transaction was lost: the node knows the next number.
      nextNonces.delete(transaction.from.address)
      return outcome.status === 'rejected' && known && /nonce/i.test(outcome.message) ? sendNext(transaction) : outcome
    })

  const sendNext = async (transaction: Transaction): Promise<Outcome> => {
    const { from, to, data, value = 0n, gas, purpose } = transaction
    const nonce = nextNonces.get(from.address) ?? (await client.getTransactionCount({ address: from.address, blockTag: 'pending' }))
    const raw = await localAccount(from).signTransaction({
      type: 'eip1559',
      chainId: options.chainId,
      nonce,
      to,
      data,
      value,
      gas,
      ...(await options.fees()),
    })
    const hash = keccak256(raw)
    await journal.append({ hash, raw, from: from.address, nonce, purpose })
    const early = await broadcast(raw, hash)
    if (early?.status !== 'rejected') nextNonces.set(from.address, nonce + 1)
    if (early) return early
    return minedNext(hash)
  }

  const reconcile = (transactions: readonly JournaledTransaction[]): Promise<void> =>
    exclusively(async () => {
      for (const { hash, raw, status } of transactions) {
        if (status !== null || (await receipt(hash))) continue
        const early = await broadcast(raw, hash)
        if (!early) await minedNext(hash)
      }
    })

  return { send, settled, reconcile, exclusively }
}

/** True when the node itself answered with an error, as against no answer. */
export function isRejection(error: unknown): boolean {
  return error instanceof ViemError && error.walk((cause) => (cause as Error).name === 'RpcRequestError') !== null
}

/** One line without addresses of nodes (which can hold keys) and without the parameters that viem prints. */
export function shortMessage(error: unknown): string {
  const deepest = error instanceof ViemError ? (error.walk((cause) => (cause as Error).name === 'RpcRequestError') ?? error) : error
  const text = (deepest as { details?: string }).details ?? (error instanceof ViemError ? error.shortMessage : 'the node did not answer')
  return text.split('\n')[0]!.replace(/https?:\/\/\S+/g, 'the node')
}
