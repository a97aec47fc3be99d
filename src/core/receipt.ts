/**
 * Receipt: one paid query. Knows nothing of how it was paid.
 */
import { z } from 'zod'
import type { AnswerPart } from './answer.ts'
import { contentId, Id } from './id.ts'
import { TermsMet } from './terms.ts'

const hex = z.custom<`0x${string}`>((value) => typeof value === 'string' && /^0x[0-9a-fA-F]+$/.test(value))

export const Receipt = z.object({
  modelId: hex,
  model: z.string(),
  packageId: Id,
  requestHash: Id,
  responseHash: Id,
  tx: hex,
  /** Block number of the payment. */
  block: z.number().int().nonnegative(),
  /** Atomic units, decimal. */
  amount: z.string().regex(/^\d+$/),
  payer: hex,
  builder: hex,
  /** Of the payer's authorization: with it the payment is found on chain. Receipts of the first version have none. */
  nonce: hex.optional(),
  /** Where the quoted sentences came from, in words. */
  sources: z.array(z.string()),
  /** The terms the answer was paid under, which the gateway found met. */
  terms: TermsMet.optional(),
  /** Unix milliseconds. */
  at: z.number().int(),
})
export type Receipt = z.infer<typeof Receipt>

export const receiptId = (receipt: Receipt): Id => contentId(receipt)

/** A piece of a paid answer: the answer as it streams, and last of all the receipt, already kept, or why nothing was charged. */
export type PaidPart = AnswerPart | { receipt: Receipt } | { free: string }
