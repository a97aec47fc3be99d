/**
 * Listing: a package as it stands on chain. Knows nothing of how the chain is reached.
 */
import type { Id } from './id.ts'

/** A 20-byte EVM address, checksummed or lower case. */
export type Address = `0x${string}`
/** Any hex string. */
export type Hex = `0x${string}`

export type Listing = {
  /** keccak256(chainid, registry, first owner, slug hash): no one can squat a name. */
  modelId: Hex
  owner: Address
  /** Where every query's money goes, directly and whole. */
  payout: Address
  /** Atomic units of OPEN per query. */
  price: bigint
  /** Count of published versions; 0 before the first. */
  version: number
  packageId: Id
  reportId: Id
  retired: boolean
}
