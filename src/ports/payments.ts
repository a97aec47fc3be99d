/**
 * Payments: how a query is quoted and how a payer's proof is read and checked. Settling is the chain's business.
 * Knows nothing of models beyond their id and price.
 */
import type { Refusal } from '../core/errors.ts'
import type { Address, Hex } from '../core/listing.ts'
import type { Authorization, Settlement } from './chain.ts'

export type Quote = {
  modelId: Hex
  model: string
  payTo: Address
  price: bigint
  resource: string
  description: string
  /** What "not covered" costs: nothing, or what every answer costs. */
  abstention: 'free' | 'paid'
}

/** What is sent with status 402: header values and a JSON body. */
export type PaymentRequired = { headers: Record<string, string>; body: unknown }

export interface Payments {
  /** `reason` is why the query is not (yet) paid; its code and sentences go into the body. */
  required(quote: Quote, reason: Refusal): PaymentRequired
  /**
   * Decodes the payer's header and checks its shape alone, so that a payment already made is known before it is judged again.
   * `identifier` is the payer's own name for the payment, where they gave one.
   */
  read(header: string): { authorization: Authorization; identifier?: string | undefined } | Refusal
  /** Decodes and checks the payer's header against the quote: amount, payee, asset, times, signature, balance. */
  verify(header: string, quote: Quote): Promise<{ authorization: Authorization } | Refusal>
  /** Headers that carry the outcome to the payer. */
  settled(settlement: Settlement): Record<string, string>
}
