/**
 * Database: the records of builds, models, payments and transactions. One implementation speaks SQL; in memory it is its
 * own fake. Knows nothing of what the records mean beyond keeping them consistent.
 */

import type { QueryPaid } from '../core/earnings.ts'
import type { Id } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Receipt } from '../core/receipt.ts'
import type { MarketRecords } from './market.ts'

/** One run of the river, from words to package; `stage` is resumable work. */
export type Build = {
  id: string
  name: string
  words: string
  folder: string
  state: 'queued' | 'running' | 'done' | 'refused' | 'failed' | 'cancelled'
  /** What happened so far, as the studio and the terminal show it. */
  events: BuildEvent[]
  packageId: Id | null
  createdAt: number
  updatedAt: number
}

/** One line of the river as it happens; `data` is small JSON for the studio. */
export type BuildEvent = {
  at: number
  arrow: 'describe' | 'collect' | 'train' | 'examine' | 'pack' | 'publish' | 'query' | 'royalty' | 'note'
  text: string
  data?: unknown
}

/** A package this gateway serves, and its listing when published. */
export type Model = {
  name: string
  packageId: Id
  modelId: Hex | null
  price: bigint | null
  publishTx: Hex | null
  /** What an abstention costs its payer. */
  abstention: 'free' | 'paid'
  createdAt: number
  updatedAt: number
}

/** One payment authorization, from reservation to answer. The key is `${from}:${nonce}` in lower case: it pays at most once. */
export type Payment = {
  key: string
  modelId: Hex
  packageId: Id
  requestHash: Id
  payer: Address
  builder: Address
  amount: bigint
  /** The EIP-3009 message, JSON, for settling again after a crash. */
  authorization: string
  /** reserved: being answered; sending: answered, transaction journaled; settled; released: never charged; unknown: asked again at start. */
  state: 'reserved' | 'sending' | 'settled' | 'released' | 'unknown'
  /** The answer, JSON, kept before it is paid for, so that a replay is served and not charged. */
  answer: string | null
  tx: Hex | null
  /** Settled, and deep enough in the chain that it stays so. */
  final: boolean
  /** The terms its answer was judged by, JSON; null without any. */
  terms: string | null
  /** The payer's own name for this payment: under it they pay once, whatever they sign. */
  identifier: string | null
  createdAt: number
  updatedAt: number
}

/** A signed transaction, written before it is sent. The journal, replayed in order, rebuilds the embedded chain. */
export type JournaledTransaction = {
  sequence: number
  hash: Hex
  raw: Hex
  from: Address
  nonce: number
  purpose: string
  /** Null until a receipt is known. */
  block: number | null
  /** Unix seconds of that block. */
  timestamp: number | null
  status: 'success' | 'reverted' | null
}

export interface Database {
  builds: {
    put(build: Build): Promise<void>
    get(id: string): Promise<Build | undefined>
    /** Newest first. */
    list(): Promise<Build[]>
  }
  models: {
    put(model: Model): Promise<void>
    /** By name or by on-chain model id. */
    get(nameOrModelId: string): Promise<Model | undefined>
    /** Newest first. */
    list(): Promise<Model[]>
  }
  payments: {
    /** Inserts when the key is new and the payer's identifier too; otherwise returns what stands. Atomic. */
    reserve(payment: Payment): Promise<{ created: boolean; payment: Payment }>
    /** Moves from one of `from` to a new state with a patch; false when it was in another state. Atomic. */
    move(key: string, from: readonly Payment['state'][], patch: Partial<Omit<Payment, 'key'>>): Promise<boolean>
    /** Frees a reservation that was never charged, so the same authorization can be used again. */
    remove(key: string, from: readonly Payment['state'][]): Promise<boolean>
    get(key: string): Promise<Payment | undefined>
    /** Oldest first. */
    inState(states: readonly Payment['state'][]): Promise<Payment[]>
    /** A payer's payment by their own name for it. */
    identified(payer: Address, identifier: string): Promise<Payment | undefined>
    /** Settled and not yet final, oldest first. */
    toConfirm(): Promise<Payment[]>
  }
  receipts: {
    /** One per payment; a second with the same transaction, request and nonce changes nothing. */
    put(receipt: Receipt): Promise<void>
    /** The receipt of one payment. */
    find(payment: { tx: Hex; requestHash: Id; nonce: Hex }): Promise<Receipt | undefined>
    /** The payment is in another transaction or block now (a reorganisation): the receipt of before gives way. Atomic. */
    replace(before: { tx: Hex; requestHash: Id; nonce: Hex }, receipt: Receipt): Promise<void>
    /** Newest first. */
    list(options?: { modelId?: Hex; tx?: Hex; limit?: number }): Promise<Receipt[]>
  }
  journal: Journal
  market: MarketRecords
  /** Small settings by key, JSON; `undefined` removes. */
  settings: { get(key: string): Promise<unknown>; set(key: string, value: unknown): Promise<void> }
  close(): Promise<void>
}

/** The part of the database the chain driver writes before every send. */
export interface Journal {
  /** Durable when it returns, with the sequence number it got. Throws when the hash is there already. */
  append(transaction: Omit<JournaledTransaction, 'sequence' | 'block' | 'timestamp' | 'status'>): Promise<number>
  mined(hash: Hex, mined: { block: number; timestamp: number; status: 'success' | 'reverted' }): Promise<void>
  /** A transaction that can never be mined, e.g. refused by the node; it is not sent again. */
  discard(hash: Hex): Promise<void>
  /** The block it was in is no longer part of the chain: it has no receipt any more. */
  reopen(hash: Hex): Promise<void>
  /** In order of sequence, without what was discarded; `afterBlock` leaves out those without a receipt as well. */
  all(options?: { afterSequence?: number; afterBlock?: number }): Promise<JournaledTransaction[]>
  /** Those without a receipt, in order of sequence. */
  unmined(): Promise<JournaledTransaction[]>
  find(hash: Hex): Promise<JournaledTransaction | undefined>
  /** The hash at a sequence number, undefined when there is none. */
  hashAt(sequence: number): Promise<Hex | undefined>
  /** Gives back the room of rows that were changed since, once that is worth the while; to be run now and then. */
  tidy(): Promise<void>
  /** Keeps the QueryPaid events of all blocks after {@link paidUntil} up to `until`; `place` is the event's in its block. */
  keepPaid(events: readonly (QueryPaid & { place: number })[], until: number): Promise<void>
  /** The last block whose events are kept, -1 before the first. */
  paidUntil(): Promise<number>
  /** Kept events, oldest first. */
  paid(options?: { modelId?: Hex; builder?: Address; fromBlock?: number; nonce?: Hex }): Promise<QueryPaid[]>
}
