/**
 * Offers and receipts of x402's extension `offer-receipt`: the terms a gateway commits itself to, and its word that a payment
 * was made and the answer given. Their shapes, and what each says in words. Knows nothing of signatures or HTTP.
 * Source: x402 specification, "Offer and Receipt Extension", payload version 1, format eip712.
 */
import { z } from 'zod'

export const OFFER_RECEIPT = 'offer-receipt'

const signature = z.string().regex(/^0x[0-9a-fA-F]{130}$/, 'is not a signature of 65 bytes') as unknown as z.ZodType<`0x${string}`>
const network = z.string().regex(/^eip155:\d{1,15}$/, 'is not an EVM network such as eip155:1612')
const address = z.string().regex(/^0x[0-9a-fA-F]{40}$/, 'is not an address')
const seconds = z.number().int().nonnegative()

export const OfferPayload = z.strictObject({
  version: z.literal(1),
  resourceUrl: z.string().max(4096),
  scheme: z.string().max(64),
  network,
  asset: address,
  payTo: address,
  amount: z.string().regex(/^\d{1,78}$/, 'is not a whole number of atomic units'),
  /** Unix seconds; 0 is the same as none. */
  validUntil: seconds.default(0),
})
export type OfferPayload = z.infer<typeof OfferPayload>

export const ReceiptPayload = z.strictObject({
  version: z.literal(1),
  network,
  resourceUrl: z.string().max(4096),
  payer: address,
  issuedAt: seconds,
  /** Empty is the same as none. */
  transaction: z.string().max(128).default(''),
})
export type ReceiptPayload = z.infer<typeof ReceiptPayload>

export const SignedOffer = z.object({ format: z.literal('eip712'), payload: OfferPayload, signature, acceptIndex: seconds.optional() })
export type SignedOffer = z.infer<typeof SignedOffer>
export const SignedReceipt = z.object({ format: z.literal('eip712'), payload: ReceiptPayload, signature })
export type SignedReceipt = z.infer<typeof SignedReceipt>

/** The EIP-712 types of both; they are part of the specification and never sent. */
export const offerTypes = {
  Offer: [
    { name: 'version', type: 'uint256' },
    { name: 'resourceUrl', type: 'string' },
    { name: 'scheme', type: 'string' },
    { name: 'network', type: 'string' },
    { name: 'asset', type: 'string' },
    { name: 'payTo', type: 'string' },
    { name: 'amount', type: 'string' },
    { name: 'validUntil', type: 'uint256' },
  ],
} as const
export const receiptTypes = {
  Receipt: [
    { name: 'version', type: 'uint256' },
    { name: 'network', type: 'string' },
    { name: 'resourceUrl', type: 'string' },
    { name: 'payer', type: 'string' },
    { name: 'issuedAt', type: 'uint256' },
    { name: 'transaction', type: 'string' },
  ],
} as const

/** One signed thing of this extension. */
export type Signed = { kind: 'offer'; signed: SignedOffer } | { kind: 'receipt'; signed: SignedReceipt }

/** Offers and receipts in what a gateway sent, wherever they stand: alone, in the body of a 402, or in a settlement's response. */
export function signedIn(json: unknown): Signed[] {
  const value = json as { payload?: unknown; extensions?: Record<string, { info?: { offers?: unknown; receipt?: unknown } }> } | null
  const info = value?.extensions?.[OFFER_RECEIPT]?.info
  const candidates = info ? [...(Array.isArray(info.offers) ? info.offers : []), info.receipt] : [json]
  return candidates.flatMap((candidate): Signed[] => {
    const offer = SignedOffer.safeParse(candidate)
    if (offer.success) return [{ kind: 'offer', signed: offer.data }]
    const receipt = SignedReceipt.safeParse(candidate)
    return receipt.success ? [{ kind: 'receipt', signed: receipt.data }] : []
  })
}
