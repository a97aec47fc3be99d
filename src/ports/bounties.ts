/**
 * Bounties: OPEN held by a contract until a model passes cases that nobody has seen, and then paid whole to its builder. Knows nothing of what a case
 * is, of how answers are graded, nor of where the need is told.
 */
import type { Refusal } from '../core/errors.ts'
import type { Id } from '../core/id.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Account } from './keystore.ts'

/** What a poster promises; a bounty's id follows from it, its sum and its poster. `deadline` in Unix seconds. */
export type BountyTerms = { needHash: Id; casesHash: Hex; examiner: Address; deadline: number }

export type ChainBounty = {
  poster: Address
  amount: bigint
  examiner: Address
  deadline: number
  /** Versions of models that were entered. */
  entries: number
  casesHash: Hex
  status: 'open' | 'paid' | 'withdrawn'
}

export interface Bounties {
  /** The id that a bounty of these terms has or will have. */
  idOf(options: { poster: Address; amount: bigint; terms: BountyTerms }): Hex
  /** What a bounty's terms say of its cases: the hash of a salt and their text. */
  casesHashOf(salt: Hex, cases: string): Hex
  /** Takes the poster's OPEN, by the poster's signature under these terms and no others; `by` sends it. */
  post(options: { poster: Account; by: Account; amount: bigint; terms: BountyTerms }): Promise<{ bountyId: Hex; tx: Hex } | Refusal>
  /** Enters the present version of a model, by its owner; each version once. */
  enter(options: { owner: Account; bountyId: Hex; modelId: Hex }): Promise<{ tx: Hex } | Refusal>
  /** Pays the bounty whole to the model's payout address, by the examiner's signature; `evidence` is the hash of what was found, `by` sends it. */
  award(options: { examiner: Account; by: Account; bountyId: Hex; modelId: Hex; evidence: Id }): Promise<{ tx: Hex; payout: Address; amount: bigint } | Refusal>
  /** Sends the money back to its poster after the deadline; with models entered it takes the cases, which are published by it. Anyone may. */
  withdraw(options: { by: Account; bountyId: Hex; salt: Hex; cases: string }): Promise<{ tx: Hex } | Refusal>
  /** What stands on the chain of a bounty; undefined when there is none. */
  bounty(bountyId: Hex): Promise<ChainBounty | undefined>
}
