/**
 * Writer of a chain that others use too: several transactions in flight, each journaled before it is sent and followed until it
 * is mined, with a higher fee when that takes too long; sent again when the block that held it is reorganised away.
 * Knows nothing of what a transaction means.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { keccak256, type Log, type PublicClient, parseTransaction } from 'viem'
import type { Address, Hex } from '../../core/listing.ts'
import type { Journal, JournaledTransaction } from '../../ports/database.ts'
import type { Account } from '../../ports/keystore.ts'
import { localAccount } from '../keystore/keystore.ts'
import { isRejection, type Outcome, shortMessage, type Transaction, type Writer } from './writer.ts'

export type Fees = { maxFeePerGas: bigint; maxPriorityFeePerGas: bigint }

export type Patience = {
  /** How long a caller waits for a receipt before the outcome is called unknown. The transaction is followed on. */
  receiptMilliseconds: number
  /** How long a transaction may wait to be mined before it is sent again with a higher fee. */
  resendMilliseconds: number
  pollMilliseconds: number
}

export type NetworkWriterOptions = {
  client: PublicClient
  journal: Journal
  chainId: number
  fees: () => Promise<Fees>
  /** Accounts that sign again after a restart. */
  accounts: readonly Account[]
  patience: Patience
  /** Blocks on top of a transaction's own before it is final. */
  confirmations: number
  /** A transaction that was mined is not in the chain any more; it is being sent again. */
  onReopened: (transaction: { hash: Hex; purpose: string }) => void
  /** A transaction of ours is final; the logs are its receipt's. Told once, and again after a restart. */
  onFinal: (logs: readonly Log[]) => void
}

export interface NetworkWriter extends Writer {
  /** Looks whether what was mined lately is still there, and sends again what is not. Returns the last block that is final. */
  confirm(): Promise<number>
  /** Stops following; what was sent stays sent, and journaled. */
  stop(): void
}

/** Nodes take a replacement only with both fees 10 % higher at least. */
const BUMP_PERCENT = 25n
const MOST_ATTEMPTS = 12
/** How often another transaction must be seen in the place of ours before ours is given up: one answer may be a node's mistake. */
const LOST_AFTER = 3

type Attempt = { hash: Hex; raw: Hex; fees: Fees }
/** `from` is undefined for an account whose key is not here: it is sent again as it is. */
type Flight = { from: Account | undefined; sender: Address; nonce: number; purpose: string; attempts: Attempt[]; sentAt: number; outcome: Promise<Outcome> }

export function networkWriter(options: NetworkWriterOptions): NetworkWriter {
  const { client, journal, patience } = options
  const nextNonces = new Map<Address, number>()
  const turns = new Map<Address, Promise<unknown>>()
  const flights = new Map<Hex, Flight>()
  /** Mined and not yet final. */
  const recent = new Map<Hex, { raw: Hex; sender: Address; nonce: number; purpose: string; block: number }>()
  let stopped = false

  /** Runs `work` with no other transaction of this account being made. */
  const inTurn = <Result>(account: Address, work: () => Promise<Result>): Promise<Result> => {
    const result = (turns.get(account) ?? Promise.resolve()).then(() => work())
    turns.set(
      account,
      result.catch(() => {}),
    )
    return result
  }

  const look = async (hash: Hex): Promise<Extract<Outcome, { status: 'success' | 'reverted' }> | undefined> => {
    const found = await client.request({ method: 'eth_getTransactionReceipt', params: [hash] })
    // A node behind a cache may answer with something else.
    if (!found?.blockNumber || found.transactionHash?.toLowerCase() !== hash) return undefined
    return { status: BigInt(found.status) === 1n ? 'success' : 'reverted', hash, block: Number(found.blockNumber), logs: found.logs as unknown as Log[] }
  }

  const record = async (outcome: Extract<Outcome, { status: 'success' | 'reverted' }>): Promise<void> => {
    const { timestamp } = await client.getBlock({ blockNumber: BigInt(outcome.block) })
    await journal.mined(outcome.hash, { block: outcome.block, timestamp: Number(timestamp), status: outcome.status })
  }

  /** Undefined when the node took it or may have; else why it did not. */
  const broadcast = async ({ raw, hash }: { raw: Hex; hash: Hex }): Promise<string | undefined> => {
    try {
      await client.request({ method: 'eth_sendRawTransaction', params: [raw] })
      return undefined
    } catch (error) {
      if (!isRejection(error) || /already (known|imported)/i.test(shortMessage(error))) return undefined
      try {
        // Some nodes say no to what they already took.
        if ((await client.request({ method: 'eth_getTransactionByHash', params: [hash] })) || (await look(hash))) return undefined
      } catch {
        return undefined
      }
      return shortMessage(error)
    }
  }

  const sign = async (from: Account, transaction: Omit<Transaction, 'from' | 'purpose'>, nonce: number, fees: Fees): Promise<Attempt> => {
    const { to, data, value = 0n, gas } = transaction
    const raw = await localAccount(from).signTransaction({ type: 'eip1559', chainId: options.chainId, nonce, to, data, value, gas, ...fees })
    return { raw, hash: keccak256(raw), fees }
  }

  const send = async (transaction: Transaction): Promise<Outcome> => {
    const { from, purpose } = transaction
    const sent = await inTurn(from.address, async (): Promise<Attempt | { refused: string }> => {
      for (let again = false; ; again = true) {
        const nonce = nextNonces.get(from.address) ?? (await client.getTransactionCount({ address: from.address, blockTag: 'pending' }))
        const attempt = await sign(from, transaction, nonce, await options.fees())
        await journal.append({ hash: attempt.hash, raw: attempt.raw, from: from.address, nonce, purpose })
        const refused = await broadcast(attempt)
        if (refused === undefined) {
          nextNonces.set(from.address, nonce + 1)
          follow({ from, sender: from.address, nonce, purpose, attempts: [attempt], sentAt: Date.now() })
          return attempt
        }
        await journal.discard(attempt.hash)
        nextNonces.delete(from.address)
        // Somebody else used this key; the node knows the next number.
        if (again || !/nonce/i.test(refused)) return { refused }
      }
    })
    return 'refused' in sent ? { status: 'rejected', message: sent.refused } : settled(sent.hash)
  }

  const settled = async (hash: Hex): Promise<Outcome> => {
    const flight = flights.get(hash)
    const unknown = (message: string): Outcome => ({ status: 'unknown', hash, message })
    if (!flight) {
      const found = await look(hash).catch(() => undefined)
      return found ?? unknown(`Transaction ${hash} has no known outcome yet.`)
    }
    const cancelled = new AbortController()
    const late = sleep(patience.receiptMilliseconds, unknown(`Transaction ${hash} was not mined within ${patience.receiptMilliseconds / 1000} s.`), {
      signal: cancelled.signal,
      ref: false,
    })
    late.catch(() => {})
    try {
      return await Promise.race([flight.outcome, late])
    } finally {
      cancelled.abort()
    }
  }

  /** Watches one transaction, under all the fees it was sent with, until it is mined or can never be. */
  const follow = (start: Omit<Flight, 'outcome'>): void => {
    const flight: Flight = { ...start, outcome: Promise.resolve({ status: 'rejected', message: '' }) }
    flight.outcome = watch(flight).finally(() => {
      for (const { hash } of flight.attempts) flights.delete(hash)
    })
    flight.outcome.catch(() => {})
    for (const { hash } of flight.attempts) flights.set(hash, flight)
  }

  const watch = async (flight: Flight): Promise<Outcome> => {
    let missed = 0
    for (let delay = patience.pollMilliseconds; !stopped; delay = Math.min(delay * 1.3, 2_000)) {
      for (const { hash, raw } of flight.attempts) {
        const outcome = await look(hash).catch(() => undefined)
        if (!outcome || !(await record(outcome).then(() => true, unlessChain))) continue
        for (const other of flight.attempts) if (other.hash !== hash) await journal.discard(other.hash)
        const { sender, nonce, purpose } = flight
        recent.set(hash, { raw, sender, nonce, purpose, block: outcome.block })
        return outcome
      }
      if (Date.now() - flight.sentAt > patience.resendMilliseconds) {
        const count = await client.getTransactionCount({ address: flight.sender }).catch(() => 0)
        if (count > flight.nonce) missed++
        else await resend(flight)
        flight.sentAt = Date.now()
        if (missed >= LOST_AFTER) {
          for (const { hash } of flight.attempts) await journal.discard(hash)
          return { status: 'rejected', message: `another transaction took the place of ${flight.attempts[0]!.hash}` }
        }
      }
      await sleep(delay, undefined, { ref: false })
    }
    return { status: 'unknown', hash: flight.attempts[0]!.hash, message: 'The gateway is closing.' }
  }

  /** Once more, with a higher fee where the key is here. */
  const resend = async (flight: Flight): Promise<void> => {
    const last = flight.attempts.at(-1)!
    try {
      if (!flight.from || flight.attempts.length >= MOST_ATTEMPTS) {
        await broadcast(last)
        return
      }
      const now = await options.fees()
      const higher = (before: bigint, present: bigint) => {
        const bumped = (before * (100n + BUMP_PERCENT)) / 100n + 1n
        return bumped > present ? bumped : present
      }
      const fees = {
        maxFeePerGas: higher(last.fees.maxFeePerGas, now.maxFeePerGas),
        maxPriorityFeePerGas: higher(last.fees.maxPriorityFeePerGas, now.maxPriorityFeePerGas),
      }
      const attempt = await sign(flight.from, contentsOf(last.raw), flight.nonce, fees)
      await journal.append({ hash: attempt.hash, raw: attempt.raw, from: flight.sender, nonce: flight.nonce, purpose: flight.purpose })
      if ((await broadcast(attempt)) !== undefined) {
        // Too little still, or the one before was mined meanwhile.
        await journal.discard(attempt.hash)
        await broadcast(last)
        return
      }
      flight.attempts.push(attempt)
      flights.set(attempt.hash, flight)
    } catch (error) {
      unlessChain(error)
    }
  }

  const reconcile = async (transactions: readonly JournaledTransaction[]): Promise<void> => {
    const groups = new Map<string, JournaledTransaction[]>()
    for (const transaction of transactions) {
      const place = `${transaction.from}:${transaction.nonce}`
      groups.set(place, [...(groups.get(place) ?? []), transaction])
    }
    for (const group of groups.values()) {
      const { from: sender, nonce, purpose } = group[0]!
      const attempts = group.map(({ hash, raw }) => {
        const { maxFeePerGas = 0n, maxPriorityFeePerGas = 0n } = parseTransaction(raw)
        return { hash, raw, fees: { maxFeePerGas, maxPriorityFeePerGas } }
      })
      for (const attempt of attempts) await broadcast(attempt)
      const from = options.accounts.find(({ address }) => address.toLowerCase() === sender.toLowerCase())
      follow({ from, sender, nonce, purpose, attempts, sentAt: Date.now() })
    }
  }

  const confirm = async (): Promise<number> => {
    const final = Number(await client.getBlockNumber()) - options.confirmations
    for (const [hash, { raw, sender, nonce, purpose, block }] of recent) {
      const outcome = await look(hash)
      if (outcome) {
        if (outcome.block !== block) {
          await record(outcome)
          recent.set(hash, { raw, sender, nonce, purpose, block: outcome.block })
        }
        if (outcome.block <= final) {
          options.onFinal(outcome.logs)
          recent.delete(hash)
        }
        continue
      }
      recent.delete(hash)
      await journal.reopen(hash)
      options.onReopened({ hash, purpose })
      const journaled = await journal.find(hash)
      if (journaled) await reconcile([journaled])
    }
    return final
  }

  return {
    send,
    settled,
    async reconcile(transactions) {
      for (const { hash, raw, from: sender, nonce, purpose, block } of transactions)
        if (block !== null) recent.set(hash, { raw, sender, nonce, purpose, block })
      await reconcile(transactions.filter(({ block }) => block === null))
    },
    confirm,
    stop() {
      stopped = true
    },
  }
}

/** What a signed transaction does, to be signed again with other fees. */
function contentsOf(raw: Hex): Omit<Transaction, 'from' | 'purpose'> {
  const { to, data = '0x', value = 0n, gas } = parseTransaction(raw)
  return { to: to!, data, value, gas: gas! }
}

/** False for a chain that does not answer. @throws what is no doing of the chain, such as a full disk. */
function unlessChain(error: unknown): false {
  if (error instanceof Error && 'shortMessage' in error) return false
  throw error
}
