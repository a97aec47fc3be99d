/**
 * Signed offers and receipts on x402's wire: puts an offer into a 402, and a receipt into the response of a settled payment whose
 * payer asked for one. Signed with the gateway's key as EIP-712. Knows nothing of how a query is charged.
 */
import {
  decodePaymentRequiredHeader,
  decodePaymentResponseHeader,
  decodePaymentSignatureHeader,
  encodePaymentRequiredHeader,
  encodePaymentResponseHeader,
} from '@x402/core/http'
import { OFFER_RECEIPT, type OfferPayload, offerTypes, type ReceiptPayload, receiptTypes, type SignedOffer, type SignedReceipt } from '../../core/offer.ts'
import type { Account } from '../../ports/keystore.ts'
import type { Quote } from '../../ports/payments.ts'
import { localAccount } from '../keystore/keystore.ts'

/** How long an offer holds, in seconds, and how often a new one is signed: signing each would cost more than the rest of a 402. */
const OFFER_SECONDS = 3600
const RENEW_SECONDS = 300
const KEPT_OFFERS = 200

type Headers = Record<string, string>

/** The chain is named in the payload; the domain has none, so that every network signs alike (specification, 3.2). */
export function typedOffer(payload: OfferPayload) {
  const message = { ...payload, version: BigInt(payload.version), validUntil: BigInt(payload.validUntil) }
  return { domain: { name: 'x402 offer', version: '1', chainId: 1 }, types: offerTypes, primaryType: 'Offer', message } as const
}
export function typedReceipt(payload: ReceiptPayload) {
  const message = { ...payload, version: BigInt(payload.version), issuedAt: BigInt(payload.issuedAt) }
  return { domain: { name: 'x402 receipt', version: '1', chainId: 1 }, types: receiptTypes, primaryType: 'Receipt', message } as const
}

export type Offers = {
  /** The 402's headers and body with a signed offer for each of its terms. */
  offer(headers: Headers, body: unknown, quote: Quote): Promise<{ headers: Headers; body: unknown }>
  /** The answer's headers with a signed receipt, when `payment` (the payer's header) declares the extension and was settled. */
  receipt(headers: Headers, payment: string | undefined, quote: Quote): Promise<Headers>
}

/** `now` is Unix milliseconds. */
export function signedOffers(options: { gateway: Account; now?: () => number }): Offers {
  const account = localAccount(options.gateway)
  const seconds = () => Math.floor((options.now ?? Date.now)() / 1000)
  const kept = new Map<string, Promise<SignedOffer>>()

  async function sign(payload: OfferPayload): Promise<SignedOffer> {
    return { format: 'eip712', acceptIndex: 0, payload, signature: await account.signTypedData(typedOffer(payload)) }
  }

  return {
    async offer(headers, body, quote) {
      const header = headers['PAYMENT-REQUIRED']
      if (header === undefined) return { headers, body }
      const required = decodePaymentRequiredHeader(header)
      const [terms] = required.accepts
      if (!terms) return { headers, body }
      const validUntil = (Math.floor(seconds() / RENEW_SECONDS) + 1) * RENEW_SECONDS + OFFER_SECONDS
      const { scheme, network, asset, payTo, amount } = terms
      const payload: OfferPayload = { version: 1, resourceUrl: quote.resource, scheme, network, asset, payTo, amount, validUntil }
      const key = JSON.stringify(payload)
      const offer = kept.get(key) ?? sign(payload)
      kept.delete(key)
      kept.set(key, offer)
      offer.catch(() => kept.delete(key))
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT_OFFERS) break
        kept.delete(oldest)
      }
      const extensions = { ...required.extensions, [OFFER_RECEIPT]: { info: { offers: [await offer] }, schema } }
      return {
        headers: { ...headers, 'PAYMENT-REQUIRED': encodePaymentRequiredHeader({ ...required, extensions }) },
        body: { ...(body as object), extensions },
      }
    },

    async receipt(headers, payment, quote) {
      const header = headers['PAYMENT-RESPONSE']
      if (header === undefined || payment === undefined || !declared(payment)) return headers
      const response = decodePaymentResponseHeader(header)
      if (!response.success || !response.payer) return headers
      const { payer, transaction, network } = response
      const payload: ReceiptPayload = { version: 1, network, resourceUrl: quote.resource, payer, issuedAt: seconds(), transaction }
      const receipt: SignedReceipt = { format: 'eip712', payload, signature: await account.signTypedData(typedReceipt(payload)) }
      const extensions = { ...response.extensions, [OFFER_RECEIPT]: { info: { receipt } } }
      return { ...headers, 'PAYMENT-RESPONSE': encodePaymentResponseHeader({ ...response, extensions }) }
    },
  }
}

/** An x402 client repeats the extensions of the 402 that it understood or let pass. */
function declared(payment: string): boolean {
  try {
    return decodePaymentSignatureHeader(payment).extensions?.[OFFER_RECEIPT] !== undefined
  } catch {
    return false
  }
}

const text = { type: 'string' }
/** What the specification asks a server to say about the extension's `info`. */
const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: {
    offers: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          format: { type: 'string', const: 'eip712' },
          acceptIndex: { type: 'integer' },
          payload: {
            type: 'object',
            properties: {
              version: { type: 'integer' },
              resourceUrl: text,
              scheme: text,
              network: text,
              asset: text,
              payTo: text,
              amount: text,
              validUntil: { type: 'integer' },
            },
            required: ['version', 'resourceUrl', 'scheme', 'network', 'asset', 'payTo', 'amount'],
          },
          signature: text,
        },
        required: ['format', 'payload', 'signature'],
      },
    },
  },
  required: ['offers'],
}
