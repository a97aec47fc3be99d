/**
 * Chain: an EVM chain with WrappedOpen, ModelRegistry and RoyaltyRouter on it. Every transaction is journaled before it is
 * sent; what was journaled and has no receipt is sent again at start. Knows nothing of models, queries or HTTP.
 */
import type { QueryPaid } from '../core/earnings.ts'
import type { Refusal } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Address, Hex, Listing } from '../core/listing.ts'
import type { MarketEvent } from '../core/market.ts'
import type { Holder } from '../core/shares.ts'
import type { Bounties } from './bounties.ts'
import type { Account } from './keystore.ts'

/** An EIP-3009 transferWithAuthorization message with its signature. */
export type Authorization = { from: Address; to: Address; value: bigint; validAfter: bigint; validBefore: bigint; nonce: Hex; signature: Hex }

/** What became of a payment. `unknown` is neither: ask again with `settlement`, never ask the payer to pay again. */
export type Settlement =
  /** `final`: its block is deep enough that it stays. Until then it may be in another transaction or block when asked again. */
  | { status: 'settled'; tx: Hex; block: number; payer: Address; builder: Address; amount: bigint; modelId: Hex; final: boolean }
  | { status: 'refused'; code: string; message: string }
  | { status: 'unknown'; message: string }

/** `committedAt` in Unix seconds of the chain. */
export type ExamRecord = { committedAt: number; attempts: number }

/** How a chain is, as whoever runs the gateway sees it; `native` in atomic units of the native coin. */
export type Pulse = { block: number; at: number; relayers: { address: Address; native: bigint; payments: bigint }[] }

export type Network = {
  chainId: number
  /** CAIP-2, e.g. `eip155:31337`. */
  caip2: string
  /** True on the embedded chain, whose money is always called test OPEN. */
  test: boolean
  currency: 'test OPEN' | 'OPEN'
  /** JSON-RPC address, for wallets and scripts on this machine. */
  rpc: string
}

export interface Chain {
  readonly network: Network
  readonly contracts: { token: Address; registry: Address; router: Address }
  /** EIP-712 domain of the token. */
  readonly token: { name: string; version: string }
  /** Money for models that are needed and not built yet. */
  readonly bounties: Bounties
  /** Atomic units of OPEN (the ERC-20) and of the native coin. */
  balance(address: Address): Promise<{ open: bigint; native: bigint }>
  /** Registers a model under the owner's slug, or finds it already registered by the same owner. */
  register(options: { owner: Account; slug: string; payout: Address; price: bigint }): Promise<{ modelId: Hex; tx: Hex | null } | Refusal>
  publishVersion(options: { owner: Account; modelId: Hex; packageId: Id; reportId: Id }): Promise<{ tx: Hex; version: number } | Refusal>
  setPrice(options: { owner: Account; modelId: Hex; price: bigint }): Promise<{ tx: Hex } | Refusal>
  listing(modelId: Hex): Promise<Listing | undefined>
  /** Turns an account's OPEN back into the native coin it wraps, one for one. */
  unwrap(options: { owner: Account; amount: bigint }): Promise<{ tx: Hex } | Refusal>
  /**
   * Has a model's royalties gather, from now on, at a contract that pays them to these holders by their shares and can do nothing else; without
   * holders the owner is paid whole and alone again. Payments signed for the payout of before are refused. `tx` is null when it was so already.
   */
  share(options: { owner: Account; modelId: Hex; holders: readonly Holder[] }): Promise<{ payout: Address; tx: Hex | null } | Refusal>
  /** Who holds the shares of a payout address; undefined when it is not our contract. */
  holders(payout: Address): Promise<Holder[] | undefined>
  /** Sends what has gathered at a shared payout on to its holders, to the last unit; anyone may. */
  distribute(options: { payout: Address; by: Account }): Promise<{ tx: Hex; amount: bigint } | Refusal>
  /** Fixes a sealed exam by its root; `tx` is null when that was done before. */
  commitExam(options: { owner: Account; modelId: Hex; examRoot: Id }): Promise<{ tx: Hex | null } | Refusal>
  /** Counts one sitting of a committed exam; not idempotent. */
  recordAttempt(options: { owner: Account; modelId: Hex; examRoot: Id }): Promise<{ tx: Hex; attempts: number } | Refusal>
  /** What stands on chain of an exam of a model; undefined when it was never committed. */
  exam(modelId: Hex, examRoot: Id): Promise<ExamRecord | undefined>
  /** Sends the authorization through RoyaltyRouter and waits for its receipt, within a deadline of its own. Idempotent by (from, nonce). */
  settle(options: { modelId: Hex; requestHash: Id; authorization: Authorization }): Promise<Settlement>
  /** What is known of an authorization sent earlier. */
  settlement(authorization: Authorization): Promise<Settlement | undefined>
  /** QueryPaid events, oldest first. */
  queriesPaid(options?: { modelId?: Hex; builder?: Address; fromBlock?: number }): Promise<QueryPaid[]>
  /** What registry, router and token said in final blocks `fromBlock` to `toBlock`, both included and at most 5,000, in order. */
  marketEvents(range: { fromBlock: number; toBlock: number }): Promise<MarketEvent[]>
  /** The newest block that stays: nothing up to it is reorganised away. */
  finalBlock(): Promise<number>
  /** What settling one query costs now, in atomic units of the native coin (which OPEN wraps one for one): by itself, and as one of a hundred. */
  costs(): Promise<{ alone: bigint; together: bigint }>
  /**
   * The newest block, its time in Unix seconds, and the accounts that pay the gas of payments with how many each can still pay for.
   * @throws when the chain does not answer.
   */
  pulse(): Promise<Pulse>
  /** What whoever runs the gateway should see to, in sentences; empty when all is well. */
  warnings(): Promise<string[]>
  /** Gives an account test OPEN; refuses off the embedded chain. */
  fund(address: Address, amount: bigint): Promise<{ tx: Hex } | Refusal>
  close(): Promise<void>
}
