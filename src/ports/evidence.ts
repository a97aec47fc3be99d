/**
 * Evidence: what a passport needs from outside. A chain's proofs that it recorded a payment and a version, a gateway's
 * signature, and the reading of both without a chain. Knows nothing of what the rest of a passport says.
 */
import type { Refusal } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Signed } from '../core/offer.ts'
import type { Proof } from '../core/passport.ts'

/** A log that the chain holds, and the proof of it. */
export type Recorded<Fields> = Fields & { tx: Hex; block: number; logIndex: number; proof: Proof }

export interface Evidence {
  /** The QueryPaid log of one paid query; `nonce` tells apart what one payer asked twice in one transaction. Refuses what the chain does not hold (any more), or what was not paid through the router. */
  payment(query: {
    tx: Hex
    modelId: Hex
    payer: Address
    requestHash: Id
    nonce?: Hex | undefined
  }): Promise<Recorded<{ builder: Address; amount: bigint; nonce: Hex }> | Refusal>
  /** The VersionPublished log of a package under a model, the newest up to a block where there are several. */
  publication(query: { modelId: Hex; packageId: Id; until: number }): Promise<Recorded<{ version: number }> | Refusal>
  /** Who holds shares of a payout address, when it is a RoyaltyShares contract; undefined for any other address. */
  holders(payout: Address): Promise<{ recipient: Address; shares: bigint }[] | undefined>
}

/** Signs for a gateway. */
export interface Seal {
  readonly address: Address
  /** The builder's word for this gateway, and whose word it is. */
  readonly vouch: { by: Address; signature: Hex } | null
  sign(content: Id): Promise<Hex>
}

export type Log = { address: Address; topics: Hex[]; data: Hex }
/** What a proof says once it is followed from the log to the block. */
export type Proven = {
  blockHash: Hex
  number: number
  /** Unix seconds. */
  timestamp: number
  success: boolean
  logs: Log[]
  tx: Hex
  chainId: number | undefined
}

/** Reads and checks what a passport carries, without asking anybody. */
export interface Notary {
  /** Who signed a content, or vouched for a gateway, for passports of this chain and router; undefined when nobody did. */
  signer(of: { chainId: number; router: Address } & ({ content: Id } | { gateway: Address }), signature: Hex): Promise<Address | undefined>
  /** Who signed an x402 offer or receipt; undefined when nobody did. */
  offerSigner(signed: Signed): Promise<Address | undefined>
  /** Follows a proof; a refusal says which part of it does not lead to the next. */
  follow(proof: Proof): Promise<Proven | Refusal>
  /** Decodes a log of these contracts: undefined when it is another one. */
  queryPaid(log: Log): { modelId: Hex; payer: Address; builder: Address; amount: bigint; requestHash: Hex; nonce: Hex } | undefined
  transfer(log: Log): { from: Address; to: Address; amount: bigint } | undefined
  versionPublished(log: Log): { modelId: Hex; version: number; packageHash: Hex; reportHash: Hex } | undefined
  /** The address a RoyaltyShares contract with these holders has; undefined where there can be none. */
  sharesAddress(token: Address, holders: readonly { recipient: Address; shares: bigint }[]): Address | undefined
  /** Where this program's contracts stand on every chain. */
  readonly contracts: { token: Address; registry: Address; router: Address }
}

/** A node asked for the hashes of its blocks, so that a passport need not be believed about them. */
export interface Witness {
  chainId(): Promise<number>
  /** Undefined where it has no such block. */
  blockHash(number: number): Promise<Hex | undefined>
  latest(): Promise<number>
}
