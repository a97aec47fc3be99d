/**
 * Settler: sends payments through RoyaltyRouter, one to a transaction while it is quiet (mode A), many in one when several are
 * in flight (mode B, `payMany`). In both, a payment's outcome is that of its own row. Knows nothing of models, of queries, or
 * of what became of a payment before it came here.
 */
import {
  decodeErrorResult,
  decodeFunctionResult,
  encodeFunctionData,
  type Hex,
  type Log,
  type PublicClient,
  parseEventLogs,
  BaseError as ViemError,
} from 'viem'
import { type Refusal, refuse } from '../../core/errors.ts'
import type { Address } from '../../core/listing.ts'
import type { Authorization, Settlement } from '../../ports/chain.ts'
import type { Account } from '../../ports/keystore.ts'
import { royaltyRouter } from './contracts.generated.ts'
import { contractErrors, refusalFor, refusalOf } from './revert.ts'
import { type Outcome, shortMessage, type Writer } from './writer.ts'

export const routerAbi = [...royaltyRouter.abi.filter((item) => item.type !== 'error'), ...contractErrors]

/** `alone`: mode A always; `together`: mode B always; `by load`: A while it is quiet, B when payments meet. */
export type Manner = 'alone' | 'together' | 'by load'

/** Payments in one transaction at most, and how long the first of them waits for others. */
export const MOST_ROWS = 100
export const WINDOW_MS = 25
/**
 * Gas of a batch: what the router insists on having in hand before each row, and more than a row with a random nonce to a fresh
 * balance takes (contracts/gas.json). A hundred rows stay under the 2^24 that EIP-7825 allows one transaction.
 */
const BATCH_GAS = 450_000n
const ROW_GAS = 90_000n

/** The relayer pays the gas, and a payer's wallet that is a contract decides how much is burnt checking its signature. */
const MOST_GAS_ALONE = 600_000n

/** Gas of one payment with a stock client's random nonce, by itself and as one of a hundred: contracts/gas.json. */
export const GAS_ALONE = 77_091n
export const GAS_TOGETHER = 41_804n

export type Row = { modelId: Hex; requestHash: Hex; authorization: Authorization }

export type Paid = Omit<Extract<Settlement, { status: 'settled' }>, 'final'>

export type RowOutcome =
  | Paid
  /** The contract says no, and nothing of this row happened. */
  | { status: 'refused'; refusal: Refusal }
  /** `hash` is the transaction it may be in; without one nothing was sent. */
  | { status: 'unknown'; hash: Hex | undefined; message: string }
  /** Mined, and the transaction as a whole was reverted. */
  | { status: 'reverted'; hash: Hex }

export type SettlerParts = {
  client: PublicClient
  writer: Pick<Writer, 'send'>
  router: Address
  /** Accounts that pay the gas, each a lane of its own. */
  relayers: readonly Account[]
  /** Transactions each relayer may have in flight. */
  inFlight: number
  manner: Manner
}

type Waiting = { row: Row; since: number; resolve: (outcome: RowOutcome) => void; reject: (fault: unknown) => void }

/** The name of an authorization: it pays at most once. */
export function keyOf({ from, nonce }: Pick<Authorization, 'from' | 'nonce'>): string {
  return `${from}:${nonce}`.toLowerCase()
}

/** The authorizations a journaled transaction carries, by what it was journaled for. */
export function settledKeys(purpose: string): string[] {
  return purpose.startsWith('settle ') ? purpose.split(' ').slice(1) : []
}

export function settler(parts: SettlerParts) {
  const { client, writer, router, relayers, manner } = parts
  const waiting: Waiting[] = []
  const load = new Map(relayers.map((relayer) => [relayer, 0]))
  /** Payments have met here lately, so more of them will. */
  let crowded = manner === 'together'
  let timer: NodeJS.Timeout | undefined

  const depart = (): void => {
    clearTimeout(timer)
    timer = undefined
    while (waiting.length > 0) {
      const [from, carried] = [...load].reduce((least, lane) => (lane[1] < least[1] ? lane : least))
      // Whoever lands next takes them along.
      if (carried >= parts.inFlight) return
      const wait = WINDOW_MS - (performance.now() - waiting[0]!.since)
      if (crowded && manner !== 'alone' && waiting.length < MOST_ROWS && wait > 0) {
        timer = setTimeout(depart, wait)
        return
      }
      const rows = waiting.splice(0, manner === 'alone' ? 1 : MOST_ROWS)
      crowded = manner === 'together' || rows.length > 1 || waiting.length > 0
      load.set(from, carried + 1)
      fly(from, rows)
        .catch((fault: unknown) => {
          for (const { reject } of rows) reject(fault)
        })
        .finally(() => {
          load.set(from, load.get(from)! - 1)
          depart()
        })
    }
  }

  const fly = async (from: Account, rows: Waiting[]): Promise<void> => {
    if (rows.length === 1 && manner !== 'together') return alone(from, rows[0]!)
    return together(from, rows)
  }

  /** Mode A. The estimate is the simulation, which fails with the contract's reason. */
  const alone = async (from: Account, passenger: Waiting): Promise<void> => {
    const request = single(passenger.row)
    let gas: bigint
    try {
      gas = await client.estimateContractGas({ ...request, address: router, account: from.address })
    } catch (error) {
      return passenger.resolve(unsent(error))
    }
    if (gas > MOST_GAS_ALONE) {
      const sentence = `Settling this payment would burn ${gas} gas, above ${MOST_GAS_ALONE}.`
      const refusal = refuse('settling_too_expensive', sentence, 'Pay from a wallet whose signature is cheaper to check.')
      return passenger.resolve({ status: 'refused', refusal })
    }
    await send(from, [passenger], encodeFunctionData(request), (gas * 13n) / 10n)
  }

  /** Mode B. The simulation keeps rows that cannot pay from costing the relayer gas. */
  const together = async (from: Account, all: Waiting[]): Promise<void> => {
    let rows = all
    try {
      const { data } = await client.call({ to: router, data: batch(rows), account: from.address, gas: gasOf(rows) })
      const paid = decodeFunctionResult({ abi: royaltyRouter.abi, functionName: 'payMany', data: data ?? '0x' })
      if (paid < BigInt(rows.length)) rows = await payable(from, rows)
    } catch (error) {
      if (!reverted(error)) for (const { resolve } of all) resolve(unsent(error))
      // The batch as a whole cannot be: a wallet that is a contract burns too much, for example.
      else for (const passenger of all) await alone(from, passenger)
      return
    }
    if (rows.length > 0) await send(from, rows, batch(rows), gasOf(rows))
  }

  /** The rows that would be paid if they came alone; the others are told why not. */
  const payable = async (from: Account, rows: Waiting[]): Promise<Waiting[]> => {
    const judged = await Promise.all(
      rows.map(async (passenger) => {
        try {
          await client.call({ to: router, data: encodeFunctionData(single(passenger.row)), account: from.address })
          return true
        } catch (error) {
          const refusal = error instanceof ViemError ? refusalInCall(error) : undefined
          passenger.resolve(refusal ? { status: 'refused', refusal } : unsent(error))
          return false
        }
      }),
    )
    return rows.filter((_, place) => judged[place])
  }

  const send = async (from: Account, rows: Waiting[], data: Hex, gas: bigint): Promise<void> => {
    const purpose = `settle ${rows.map(({ row }) => keyOf(row.authorization)).join(' ')}`
    let outcome: Outcome
    try {
      outcome = await writer.send({ from, to: router, data, gas, purpose })
    } catch (error) {
      for (const { resolve } of rows) resolve(unsent(error))
      return
    }
    if (outcome.status === 'reverted' && rows.length > 1) {
      // Nothing of it happened. One by one, the row that spoiled it harms itself alone.
      for (const passenger of rows) await alone(from, passenger)
      return
    }
    const tell = outcomes(outcome)
    for (const { row, resolve } of rows) resolve(tell(row))
  }

  /** What a transaction's outcome means for one of its rows. */
  const outcomes = (outcome: Outcome): ((row: Row) => RowOutcome) => {
    if (outcome.status === 'unknown') return () => ({ status: 'unknown', hash: outcome.hash, message: outcome.message })
    if (outcome.status === 'rejected') return () => ({ status: 'unknown', hash: undefined, message: `The node refused the transaction: ${outcome.message}.` })
    if (outcome.status === 'reverted') return () => ({ status: 'reverted', hash: outcome.hash })
    const settled = settlements(outcome.logs, router)
    const skipped = new Map(
      parseEventLogs({ abi: royaltyRouter.abi, eventName: 'PaymentSkipped', logs: outcome.logs })
        .filter(({ address }) => same(address, router))
        .map(({ args }) => [keyOf({ from: args.payer, nonce: args.nonce }), args.reason]),
    )
    return ({ authorization }) => {
      const key = keyOf(authorization)
      const payment = settled.get(key)
      if (payment) return payment
      const reason = skipped.get(key)
      if (reason !== undefined) return { status: 'refused', refusal: refusalIn(reason) }
      return { status: 'unknown', hash: outcome.hash, message: `Transaction ${outcome.hash} was mined, and says nothing of this payment.` }
    }
  }

  return {
    /** Sends one payment by itself or with others. @throws only faults that are not the chain's. */
    pay(row: Row): Promise<RowOutcome> {
      return new Promise((resolve, reject) => {
        if (manner === 'by load' && (waiting.length > 0 || [...load.values()].some((carried) => carried > 0))) crowded = true
        waiting.push({ row, since: performance.now(), resolve, reject })
        depart()
      })
    },
    /** The contract's reason not to take this payment now, undefined when it would. @throws when the chain does not answer. */
    async reason({ modelId, requestHash, authorization }: Row): Promise<Refusal | undefined> {
      try {
        await client.call({ to: router, data: encodeFunctionData(single({ modelId, requestHash, authorization })), account: relayers[0]!.address })
        return undefined
      } catch (error) {
        const refusal = error instanceof ViemError ? refusalInCall(error) : undefined
        if (refusal) return refusal
        throw error
      }
    },
  }
}

/** What QueryPaid events of the router say, by authorization. */
export function settlements(logs: Log[], router: Address): Map<string, Paid> {
  const events = parseEventLogs({ abi: royaltyRouter.abi, eventName: 'QueryPaid', logs }).filter(({ address }) => same(address, router))
  return new Map(
    events.map(({ args: { payer, nonce, builder, amount, modelId }, transactionHash, blockNumber }) => [
      keyOf({ from: payer, nonce }),
      { status: 'settled', tx: transactionHash, block: Number(blockNumber), payer, builder, amount, modelId },
    ]),
  )
}

function single({ modelId, requestHash, authorization }: Row) {
  const { to: _, ...message } = authorization
  return { abi: routerAbi, functionName: 'payWithAuthorization', args: [modelId, requestHash, message] } as const
}

function batch(rows: readonly Waiting[]): Hex {
  const authorizations = rows.map(({ row: { authorization } }) => {
    const { to: _, ...message } = authorization
    return message
  })
  return encodeFunctionData({
    abi: royaltyRouter.abi,
    functionName: 'payMany',
    args: [rows.map(({ row }) => row.modelId), rows.map(({ row }) => row.requestHash), authorizations],
  })
}

function gasOf(rows: readonly unknown[]): bigint {
  return BATCH_GAS + ROW_GAS * BigInt(rows.length)
}

/** A failure before anything was sent: the contract's no, or no answer. @throws what is no doing of the chain. */
function unsent(error: unknown): RowOutcome {
  if (!(error instanceof ViemError)) throw error
  const refusal = refusalOf(error) ?? refusalInCall(error)
  return refusal
    ? { status: 'refused', refusal }
    : { status: 'unknown', hash: undefined, message: `The chain did not take the transaction: ${shortMessage(error)}.` }
}

/** True when the node ran the call and the call failed, as against no answer. */
function reverted(error: unknown): boolean {
  return error instanceof ViemError && error.walk((cause) => (cause as Error).name === 'ExecutionRevertedError') !== null
}

/** The contract's reason in a failed call that was made without an ABI. */
function refusalInCall(error: ViemError): Refusal | undefined {
  const found = error.walk((cause) => typeof (cause as { data?: unknown }).data === 'string') as { data?: Hex } | null
  return found?.data && found.data !== '0x' ? refusalIn(found.data) : undefined
}

function refusalIn(reason: Hex): Refusal {
  try {
    const { errorName, args } = decodeErrorResult({ abi: contractErrors, data: reason })
    return refusalFor(errorName, (args ?? []) as readonly unknown[])
  } catch {
    return refuse('contract_refused', 'The contract refused the payment without a reason.', 'Check the values and try again.')
  }
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}
